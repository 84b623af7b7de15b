"""Members: who is in a workspace, and what they may do there."""
