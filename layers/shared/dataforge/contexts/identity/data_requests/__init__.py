"""What a person may ask about their data: all of it in one file, and to be forgotten."""
