"""What statements say of learners and lessons, counted; asked for again, a report has the same numbers."""
