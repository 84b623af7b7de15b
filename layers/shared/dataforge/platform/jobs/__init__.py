"""Long work: its rows, its workers, and how they keep it."""
