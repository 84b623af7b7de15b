"""What statements are found by: their agents, verb, activities and registration."""
