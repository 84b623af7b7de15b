"""Which statements a purge or an export is about."""
