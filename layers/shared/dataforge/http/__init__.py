"""HTTP edge: app factory, problems, calls, ETags, cursors and idempotency."""
