"""What belongs to an address from before its owner proved it: shown as a plan, given by its hash."""
