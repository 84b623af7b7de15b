"""Webhooks: events on their way to programs of others, of a workspace or of the whole organisation."""
