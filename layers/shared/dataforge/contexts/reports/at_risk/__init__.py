"""Learners who began, are not done, and have not been seen for a while."""
