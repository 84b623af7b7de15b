"""Refusals of this context."""

from dataforge.kernel.errors import AlreadyExists, BadRequest, Conflict, Unavailable


class StatementConflict(Conflict):
    """An id that is taken is sent with another content (Data 2.3.1)."""

    code = "statement_conflict"
    title = "The statement id belongs to another statement"


class QueueUnavailable(Unavailable):
    """Statements cannot be made durable at the moment; none was accepted."""

    code = "queue_unavailable"
    title = "Statements cannot be accepted at the moment"


class XapiVersionInvalid(BadRequest):
    """X-Experience-API-Version is missing or names no line this store speaks (Communication 3.3)."""

    code = "xapi_version"
    title = "The xAPI version header is missing or not supported"


class XapiParameterInvalid(BadRequest):
    """A query parameter is missing, unknown or malformed (Communication 2.1)."""

    code = "xapi_parameter"
    title = "A query parameter is missing, unknown or malformed"


class DuplicateLessonUrl(AlreadyExists):
    """Another lesson has this activity id."""

    code = "duplicate_lesson_url"
    title = "Another lesson has this URL"


class DuplicateCohort(AlreadyExists):
    """Another cohort of the workspace has this name."""

    code = "duplicate_cohort"
    title = "Another cohort has this name"


class CohortInUse(Conflict):
    """Lessons still belong to the cohort."""

    code = "cohort_in_use"
    title = "The cohort still has lessons"
