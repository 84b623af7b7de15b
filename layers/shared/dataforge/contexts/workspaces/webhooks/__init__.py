"""Webhooks: what the hosts of remote repositories send when something was pushed."""
