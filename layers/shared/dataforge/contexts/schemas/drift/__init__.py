"""Drift: what changed in a schema without a deployment."""
