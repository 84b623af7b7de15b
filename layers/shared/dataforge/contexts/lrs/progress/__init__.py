"""How far people are with lessons: what reports and reminders read."""
