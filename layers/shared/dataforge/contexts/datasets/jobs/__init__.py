"""Long work that workers do."""
