"""The site that is made of `docs/`, and what its examples run with."""
