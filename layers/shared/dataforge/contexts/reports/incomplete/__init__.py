"""Who should have completed a lesson and has not."""
