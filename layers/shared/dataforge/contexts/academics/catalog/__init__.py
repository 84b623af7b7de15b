"""Departments, semesters, courses and what they require."""
