"""Catalogue, sections, prerequisites, enrolment, schedules and rosters."""
