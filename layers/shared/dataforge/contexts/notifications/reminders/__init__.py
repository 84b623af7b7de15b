"""Who is reminded of which lessons, when, and how often."""
