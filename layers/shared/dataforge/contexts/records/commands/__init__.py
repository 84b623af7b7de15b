"""What records does: accept statements, land them, keep lessons and cohorts."""
