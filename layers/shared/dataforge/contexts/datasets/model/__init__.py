"""Pure ideas of versioned tables: columns and schemas, commit ids, filters, changes. No Arrow, no storage."""
