"""Schemas that come in another form: SQL and DBML read into the target format."""
