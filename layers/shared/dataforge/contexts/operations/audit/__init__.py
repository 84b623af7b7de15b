"""What was changed, by whom, and what it was before."""
