"""Bounded contexts; each is reached from others through its `contract` only."""
