"""Extensions of senders that say more than the standard has words for.

7taps writes its lesson and cohort into extensions below https://7taps.com/; which object carries them has moved between
its releases, so the context is asked first, then the activity, then the result.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

_SEVENTAPS = re.compile(r"https?://(?:[a-z0-9-]+\.)?7taps\.com/(?:.*/)?([^/?#]+)/?(?:[?#].*)?\Z", re.IGNORECASE)
_MAX_KEY_LENGTH = 300
_MAX_LESSON_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class LessonHints:
    """What a sender's extensions say about the lesson a statement belongs to; None where they say nothing."""

    lesson_number: int | None = None
    lesson_name: str | None = None
    lesson_url: str | None = None
    global_question: str | None = None
    cohort: str | None = None


_NO_HINTS = LessonHints()


def _extension_maps(statement: Mapping[str, object]) -> Iterator[dict[str, object]]:
    target = statement.get("object")
    definition = target.get("definition") if isinstance(target, dict) else None
    for holder in (statement.get("context"), definition, statement.get("result")):
        extensions = holder.get("extensions") if isinstance(holder, dict) else None
        if isinstance(extensions, dict):
            yield extensions


def lesson_hints(statement: Mapping[str, object]) -> LessonHints:
    """The 7taps extensions of a statement: lesson-number, lesson-name, lesson-url, global-q and cohort."""
    found: dict[str, object] = {}
    for extensions in _extension_maps(statement):
        for key, value in extensions.items():
            if len(key) > _MAX_KEY_LENGTH or "7taps" not in key.lower():
                continue
            match = _SEVENTAPS.match(key)
            if match is not None:
                found.setdefault(match.group(1).lower().replace("_", "-"), value)
    if not found:
        return _NO_HINTS
    return LessonHints(
        lesson_number=_whole(found.get("lesson-number")),
        lesson_name=_text(found.get("lesson-name")),
        lesson_url=_text(found.get("lesson-url")),
        global_question=_text(found.get("global-q")),
        cohort=_text(found.get("cohort")),
    )


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    return str(value).strip() or None


def _whole(value: object) -> int | None:
    text = _text(value)
    if text is None or not re.fullmatch(r"[0-9]{1,10}(?:\.0+)?", text):
        return None
    number = int(text.partition(".")[0])
    return number if number <= _MAX_LESSON_NUMBER else None
