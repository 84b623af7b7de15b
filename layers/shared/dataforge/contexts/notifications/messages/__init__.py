"""Mails to people: planned, sent once, tried again."""
