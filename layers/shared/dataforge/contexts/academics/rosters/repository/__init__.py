"""Writes of rosters."""
