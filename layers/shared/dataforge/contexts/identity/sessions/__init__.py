"""Sign-ins on one device each, and the tokens that continue them."""
