"""Uploaded files into commits."""
