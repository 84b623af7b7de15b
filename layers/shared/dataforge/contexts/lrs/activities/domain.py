"""What is known of an activity: the definitions of all statements about it, merged (Communication 2.5)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

_MAPS = ("name", "description", "extensions")


@dataclass(frozen=True, slots=True)
class ActivityDefinition:
    """A definition, and when the newest statement that it is made of was stored."""

    definition: Mapping[str, object]
    stored_at: datetime

    def merged(self, other: "ActivityDefinition") -> "ActivityDefinition":
        """Both, whichever came first here: what the later one says holds, names and descriptions by language."""
        older, newer = (self, other) if self.stored_at <= other.stored_at else (other, self)
        return replace(newer, definition=_overlaid(older.definition, newer.definition))


def _overlaid(older: Mapping[str, object], newer: Mapping[str, object]) -> dict[str, object]:
    found = {**older, **newer}
    for name in _MAPS:
        before, after = older.get(name), newer.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            found[name] = {**before, **after}
    return found


def definitions_of(statements: Iterable[tuple[Mapping[str, object], datetime]]) -> dict[str, ActivityDefinition]:
    """The definitions in valid statements with their `stored`, by activity id."""
    found: dict[str, ActivityDefinition] = {}
    for statement, stored_at in statements:
        for activity in _activities(statement):
            definition, activity_id = activity.get("definition"), activity.get("id")
            if isinstance(activity_id, str) and isinstance(definition, dict) and definition:
                one = ActivityDefinition(definition, stored_at)
                known = found.get(activity_id)
                found[activity_id] = one if known is None else known.merged(one)
    return found


def merged_definitions(parts: Iterable[Mapping[str, ActivityDefinition]]) -> dict[str, ActivityDefinition]:
    """The definitions of several, merged where they are of one activity."""
    found: dict[str, ActivityDefinition] = {}
    for part in parts:
        for activity_id, one in part.items():
            known = found.get(activity_id)
            found[activity_id] = one if known is None else known.merged(one)
    return found


def _activities(statement: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    target, context = statement.get("object"), statement.get("context")
    if isinstance(target, dict):
        kind = target.get("objectType", "Activity")
        if kind == "Activity":
            yield target
        elif kind == "SubStatement":
            yield from _activities(target)
    related = context.get("contextActivities") if isinstance(context, dict) else None
    for activities in related.values() if isinstance(related, dict) else ():
        yield from activities if isinstance(activities, list) else (activities,)
