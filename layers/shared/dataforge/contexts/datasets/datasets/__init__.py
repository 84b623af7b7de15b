"""Datasets, their tags, and who may do what with them."""
