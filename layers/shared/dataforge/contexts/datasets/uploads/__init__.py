"""Files that people send in parts."""
