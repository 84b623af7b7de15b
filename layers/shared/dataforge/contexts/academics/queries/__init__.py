"""Read models: SQL to rows to answers, no entities."""
