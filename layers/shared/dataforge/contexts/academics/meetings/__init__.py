"""When sections really meet: the weekly meetings without holidays, some of them cancelled or moved."""
