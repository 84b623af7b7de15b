"""From queue messages into raw rows."""
