"""Plans that wait to be applied."""
