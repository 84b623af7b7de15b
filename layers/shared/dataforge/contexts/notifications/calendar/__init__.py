"""Dates of lessons in the calendars of their learners."""
