"""What people want to hear of."""
