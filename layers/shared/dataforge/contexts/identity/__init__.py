"""People, sign-in, signing keys and xAPI credentials."""
