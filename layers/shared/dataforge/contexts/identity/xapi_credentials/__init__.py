"""Keys and secrets of those who send statements."""
