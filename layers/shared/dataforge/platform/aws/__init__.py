"""AWS services behind small adapters."""
