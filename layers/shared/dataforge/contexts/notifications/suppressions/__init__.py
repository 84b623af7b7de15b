"""Addresses that get no mail any more."""
