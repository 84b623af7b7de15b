"""What stands above the picture of a report: its title, and as of when its numbers are."""

from dataforge.contexts.reports.basis import Basis, LessonLabel
from dataforge.contexts.reports.pictures.canvas import Caption
from dataforge.contexts.reports.pictures.text import count, instant, listed


def caption_of(title: str, basis: Basis, *notes: str, key: str = "picture") -> Caption:
    """The caption of a picture; `notes` are further sentences without their full stops, empty ones left out."""
    removed = ""
    if basis.removed_since:
        removed = f"{count(basis.removed_since, 'statement has', 'statements have')} been erased or purged since"
    parts = (f"As of {instant(basis.watermark)}", removed, *notes)
    return Caption(title, listed(part for part in parts if part), key)


def lesson_name(lesson: LessonLabel) -> str:
    """A lesson by number and title."""
    return lesson.title if lesson.lesson_number is None else f"{lesson.lesson_number}. {lesson.title}"


def shown_of(shown: int, total: int, what: str) -> str:
    """Say that a page has not all; empty if it has."""
    return "" if shown >= total else f"{shown:,} of {count(total, what)}"
