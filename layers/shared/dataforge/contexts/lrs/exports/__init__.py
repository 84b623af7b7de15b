"""Exports: the statements of a selection in one file."""
