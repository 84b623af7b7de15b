"""Learner lists that fill cohorts."""
