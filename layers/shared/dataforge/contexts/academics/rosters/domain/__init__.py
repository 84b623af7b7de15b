"""The rules of rosters."""
