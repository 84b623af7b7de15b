"""Versions into files."""
