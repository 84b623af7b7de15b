"""Activities whose completion counts."""
