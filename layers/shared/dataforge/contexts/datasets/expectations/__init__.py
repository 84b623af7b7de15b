"""What must be true of tables, and whether it is."""
