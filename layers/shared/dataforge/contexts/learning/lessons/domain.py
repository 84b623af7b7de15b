"""Refusals of lessons."""

from dataforge.kernel.errors import AlreadyExists


class DuplicateLessonUrl(AlreadyExists):
    """Another lesson has this activity id."""

    code = "duplicate_lesson_url"
    title = "Another lesson has this URL"
