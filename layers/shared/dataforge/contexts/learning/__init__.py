"""Lessons, cohorts and who has completed what."""
