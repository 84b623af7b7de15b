"""Vaults: lockable stores of notes."""
