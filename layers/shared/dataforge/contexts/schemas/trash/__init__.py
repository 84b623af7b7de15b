"""Trash: what was dropped from the schema of a workspace and is kept for a while."""
