"""The rules of enrolment."""
