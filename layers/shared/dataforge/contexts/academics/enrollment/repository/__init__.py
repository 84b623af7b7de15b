"""Writes of enrolments."""
