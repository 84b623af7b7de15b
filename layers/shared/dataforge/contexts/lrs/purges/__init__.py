"""Purges: statements of a selection deleted for good, after a preview."""
