"""Workspaces: made, changed, archived, handed over, deleted."""
