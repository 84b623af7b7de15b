"""Completions of all learners, as they change."""
