"""Copies of semesters: the same sections again, at other dates, without the people who were in them."""
