"""OneRoster 1.2, to read."""
