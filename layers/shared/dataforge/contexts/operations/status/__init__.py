"""How the work of every context stands, in numbers."""
