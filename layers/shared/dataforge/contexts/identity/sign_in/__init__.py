"""Signing in, by password."""
