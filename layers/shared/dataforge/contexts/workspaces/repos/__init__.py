"""Repos: repositories that a workspace keeps track of."""
