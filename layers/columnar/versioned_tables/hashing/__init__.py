"""Hashes of rows, leaves and commits, and rows paired by their hashes."""
