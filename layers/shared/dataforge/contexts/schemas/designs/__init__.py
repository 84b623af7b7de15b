"""Designs: the target format, the model of a schema, and its reading from the catalog."""
