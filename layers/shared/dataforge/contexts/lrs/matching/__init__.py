"""Which person and which lesson of ours a statement is about."""
