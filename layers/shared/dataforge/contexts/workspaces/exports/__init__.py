"""Exports: everything that a workspace has in one zip, when its owners ask for it and before it is deleted for good."""
