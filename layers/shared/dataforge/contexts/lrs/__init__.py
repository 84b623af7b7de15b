"""The learning record store: xAPI statements in, raw and flat rows, what cannot be stored in quarantine."""
