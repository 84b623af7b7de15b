"""How much happened when."""
