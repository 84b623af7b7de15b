"""What sources are, without a database."""
