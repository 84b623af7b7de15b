"""What people hear of from other contexts: events, and the messages they become."""
