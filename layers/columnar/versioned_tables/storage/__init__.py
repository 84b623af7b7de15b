"""Objects under keys, and the store of one dataset over them."""
