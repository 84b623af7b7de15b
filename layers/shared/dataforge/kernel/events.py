"""Domain events: what happened, as contexts publish it in their contract and as subscribers receive it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, time
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from dataforge.kernel.ids import uuid7

_MEMBERS: dict[str, Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; a context's events are frozen dataclasses in its `contract.py`.

    `name` is what the outbox calls the event, `about` the field that names the thing it is about. Fields hold no
    secret. Subscribers may get an event twice, with the same `event_id`.
    """

    name: ClassVar[str]
    about: ClassVar[str]

    event_id: UUID = field(default_factory=uuid7, kw_only=True)

    @property
    def key(self) -> str:
        """Which thing the event is about, for people who read the outbox."""
        return str(getattr(self, self.about))

    def payload(self) -> dict[str, object]:
        """The fields as JSON-able values; a field that ends in `_` because Python keeps its name is written without."""
        found = members(type(self))
        return {name: _plain(getattr(self, holder)) for name, holder in found.items()}


def members(kind: type[Event]) -> Mapping[str, str]:
    """The members of an event's JSON, and the field that holds each."""
    if kind.name not in _MEMBERS:
        _MEMBERS[kind.name] = {item.name.rstrip("_"): item.name for item in fields(kind) if item.name != "event_id"}
    return _MEMBERS[kind.name]


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date | time):  # and datetime, which is a date
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value
