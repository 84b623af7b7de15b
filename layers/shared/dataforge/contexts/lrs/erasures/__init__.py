"""Erasures: a person taken out of all that the store has, and out of what is still on its way to it."""
