"""What can never become a statement, kept whole."""
