"""Transcripts: what was said, when and by whom."""
