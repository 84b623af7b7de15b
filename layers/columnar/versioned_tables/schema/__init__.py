"""Columns with ids and types, and values as texts and as other types."""
