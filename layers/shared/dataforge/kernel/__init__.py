"""Pure building blocks every context shares: no I/O, no frameworks."""
