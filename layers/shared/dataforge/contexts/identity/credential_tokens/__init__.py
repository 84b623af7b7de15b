"""Access tokens of xAPI credentials: OAuth 2.0 for senders (RFC 6749 §4.4)."""
