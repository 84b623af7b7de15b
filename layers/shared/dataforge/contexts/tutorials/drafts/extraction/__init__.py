"""Drafts of tutorials by rules and word lists, without a network or a model: the same input gives the same draft."""
