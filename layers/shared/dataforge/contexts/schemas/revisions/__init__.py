"""Revisions of a schema, each whole, and what is different between two of them."""
