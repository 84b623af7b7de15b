"""Signing in through a provider of the organisation (OpenID Connect), and what accounts are linked to there."""
