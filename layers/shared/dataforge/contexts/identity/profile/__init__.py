"""My account as others see it: the name, and the ways to everything else of it."""
