"""Rows, pages, filters, statistics and checks of a version."""
