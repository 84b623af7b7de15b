"""What is in a version: its tables and rows."""
