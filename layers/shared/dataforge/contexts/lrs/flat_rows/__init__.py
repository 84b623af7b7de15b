"""The rows that reports read, one a statement."""
