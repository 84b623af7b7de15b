"""Adapters: the database, AWS and observability."""
