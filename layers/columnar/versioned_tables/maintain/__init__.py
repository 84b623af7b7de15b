"""Compaction, verification and garbage."""
