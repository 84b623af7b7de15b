"""What the repositories of versioned rows share."""
