"""Jobs of every kind, as the person who asked for them sees them."""
