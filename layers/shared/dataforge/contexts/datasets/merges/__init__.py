"""Merging one version into another; reverting and repeating single commits."""
