"""Launches of lessons in a course player (cmi5)."""
