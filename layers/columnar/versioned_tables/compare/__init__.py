"""Two versions, row by row."""
