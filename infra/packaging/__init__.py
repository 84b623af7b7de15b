"""How the layers are locked, built and measured."""
