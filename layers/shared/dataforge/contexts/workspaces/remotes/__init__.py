"""Remotes: the branches and tags that the repositories have whose addresses repos carry."""
