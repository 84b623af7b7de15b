"""Transcripts: files of captions, normalised to segments."""
