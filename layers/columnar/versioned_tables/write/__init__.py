"""New versions: from rows in order, edits, operations and other types."""
