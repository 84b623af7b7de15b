"""What runs every minute behind the statements."""
