"""The figures of the README, each printed by a program here."""
