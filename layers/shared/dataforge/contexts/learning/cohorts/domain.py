"""Refusals of cohorts."""

from dataforge.kernel.errors import AlreadyExists, Conflict


class DuplicateCohort(AlreadyExists):
    """Another cohort of the workspace has this name."""

    code = "duplicate_cohort"
    title = "Another cohort has this name"


class CohortInUse(Conflict):
    """Lessons still belong to the cohort."""

    code = "cohort_in_use"
    title = "The cohort still has lessons"
