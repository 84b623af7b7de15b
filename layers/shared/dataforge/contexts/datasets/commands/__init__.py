"""What people and workers do with datasets; each handler is one transaction."""
