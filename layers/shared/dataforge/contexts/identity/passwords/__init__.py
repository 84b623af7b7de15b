"""Passwords: what makes one good enough, how it is kept, changed and replaced."""
