"""Three versions into one."""
