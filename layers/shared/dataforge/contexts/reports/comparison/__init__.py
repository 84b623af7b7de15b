"""Lessons, or courses, beside each other."""
