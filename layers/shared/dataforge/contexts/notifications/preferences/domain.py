"""What people can hear of, and whether they can do without it."""

from dataclasses import dataclass
from typing import Final

from dataforge.kernel.errors import BadRequest


class UnknownKind(BadRequest):
    """There is no such kind of message."""

    code = "unknown_notification_kind"
    title = "There is no such kind of message"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: `optional` ones can be turned off."""

    name: str
    label: str
    optional: bool = True


KINDS: Final = {kind.name: kind for kind in (Kind("lesson_reminder", "Lessons that are due"),)}


def kind_named(name: str) -> Kind:
    """The kind; raises UnknownKind."""
    if name not in KINDS:
        message = f"There is no kind of message {name!r}. Known: {', '.join(sorted(KINDS))}."
        raise UnknownKind(message)
    return KINDS[name]
