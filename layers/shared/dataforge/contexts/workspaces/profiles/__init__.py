"""Profiles: the anchor of a person's workspaces and resources."""
