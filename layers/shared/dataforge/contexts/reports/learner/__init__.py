"""The time line of one learner."""
