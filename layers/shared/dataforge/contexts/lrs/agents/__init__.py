"""Agents and who they are."""
