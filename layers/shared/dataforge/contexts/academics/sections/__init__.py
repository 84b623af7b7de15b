"""Courses as they are offered in a semester."""
