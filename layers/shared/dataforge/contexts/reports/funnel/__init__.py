"""How far those who should complete a lesson have come with it."""
