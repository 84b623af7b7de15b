"""Commits: versions of all tables of a dataset, and their history."""
