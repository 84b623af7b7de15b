"""Promotions: what was deployed in one workspace, planned in another; the same plan has the same hash."""
