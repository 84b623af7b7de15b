"""Tutorials: drafted, edited, published."""
