"""Reports as relations that statements of SQL read."""
