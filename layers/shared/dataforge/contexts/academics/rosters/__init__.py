"""Whole rosters at once: upload, plan, apply."""
