"""Queues: how full they are, what was given up, and the way back."""
