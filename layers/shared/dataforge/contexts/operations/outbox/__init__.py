"""Events on their way to their subscribers."""
