"""Transcripts of calls and lectures, and the tutorials that are made of them."""
