"""What request bodies of every context have in common."""

import re
from datetime import UTC, datetime, time
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from dataforge.kernel.texts import Text
from dataforge.kernel.time_zones import time_zone_names


def _time_zone(value: str) -> str:
    if value not in time_zone_names():
        message = Text("must be an IANA time zone such as Europe/Berlin")
        raise ValueError(message)
    return value


def _without_offset(value: time) -> time:
    if value.tzinfo is not None:
        message = Text("must be a time on the wall clock such as 09:00, without an offset")
        raise ValueError(message)
    return value


TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
# A time on a wall clock: RFC 3339 has no format for one without an offset.
WallTime = Annotated[
    time,
    AfterValidator(_without_offset),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", "examples": ["09:00"]}),
]


def _written_out(value: object) -> object:
    # Pydantic would take a number for seconds, or milliseconds, since 1970.
    if isinstance(value, str) and not _DATE.match(value):
        message = Text("must begin with a date such as 2026-03-31")
        raise ValueError(message)
    return value


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError as error:
        message = Text("must be an instant of the years 1 to 9999 in UTC")
        raise ValueError(message) from error


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
WrittenOut = BeforeValidator(_written_out)
Instant = Annotated[datetime, WrittenOut, AfterValidator(_in_utc)]
"""A time that is given with its offset, in UTC; without one it is UTC."""


class RequestModel(BaseModel):
    """A request body: unknown members are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PartialUpdate(RequestModel):
    """A PATCH body: a member left out stays as it is; null clears what can be empty and is refused elsewhere."""

    clearable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, values: Any) -> Any:  # noqa: ANN401 - the raw body
        if isinstance(values, dict):
            for name, value in values.items():
                if value is None and name in cls.model_fields and name not in cls.clearable:
                    message = Text("{name} cannot be null; leave it out to keep it as it is", name=name)
                    raise ValueError(message)
        return values
