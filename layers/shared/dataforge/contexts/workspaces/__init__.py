"""Workspaces: where people keep repos, vaults of notes and shared resources together, apart from everybody else."""
