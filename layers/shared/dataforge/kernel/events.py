"""Domain events: what happened, as contexts publish it in their contract and as subscribers receive it."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from dataforge.kernel.ids import uuid7


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
        named = ((item.name, getattr(self, item.name)) for item in fields(self) if item.name != "event_id")
        return {name.rstrip("_"): _plain(value) for name, value in named}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value
