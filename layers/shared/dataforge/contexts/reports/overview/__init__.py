"""Which reports there are, and of what."""
