"""Statements on their way to others: webhooks, and other record stores."""
