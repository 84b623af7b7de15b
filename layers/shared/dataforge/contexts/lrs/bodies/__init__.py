"""Bodies of statements in partitions by month (ADR 0027)."""
