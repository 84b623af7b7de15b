"""PostgreSQL: connections, the unit of work, outbox, idempotency keys and the audit log."""
