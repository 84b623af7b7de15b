"""Statements as clients send and read them."""
