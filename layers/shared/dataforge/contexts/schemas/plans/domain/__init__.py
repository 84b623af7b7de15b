"""How a schema becomes another, without a database."""
