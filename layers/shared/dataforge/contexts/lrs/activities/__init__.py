"""Activities and what statements say of them."""
