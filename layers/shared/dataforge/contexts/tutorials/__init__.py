"""Transcripts that become tutorials."""
