"""What a schema is, without a database."""
