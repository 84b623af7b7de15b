"""What the wire models of academics have in common. PUT takes the same body as POST; PATCH any part of it."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from dataforge.kernel.email import MAX_EMAIL, parse_email
from dataforge.kernel.text import composed_if_text
from dataforge.kernel.texts import Text
from dataforge.kernel.time_zones import time_zone_names

MAX_SEATS = 1_000_000
# The default of PATCH members: never read, because only members that were sent are (`exclude_unset`).
OMITTED: Any = Field(default_factory=lambda: None)


def _time_zone(value: str) -> str:
    if value not in time_zone_names():
        message = Text("must be an IANA time zone such as Europe/Berlin")
        raise ValueError(message)
    return value


def _local(value: time) -> time:
    if value.tzinfo is not None:
        message = Text("must be a local time without an offset, such as 09:00")
        raise ValueError(message)
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        message = Text("must have an offset, such as 2026-09-01T12:00:00Z")
        raise ValueError(message)
    return value


Code = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/+-]*$")]
Line = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$"), BeforeValidator(composed_if_text)
]
Prose = Annotated[str, Field(max_length=20_000)]
Reason = Annotated[str, Field(min_length=1, max_length=1_000)]
Credits = Annotated[Decimal, Field(ge=0, le=999, max_digits=5, decimal_places=2)]
Score = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
Seats = Annotated[int, Field(ge=0, le=MAX_SEATS)]
SourcedId = Line


TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
LocalTime = Annotated[time, AfterValidator(_local)]
Instant = Annotated[datetime, AfterValidator(_aware)]
Email = Annotated[str, Field(max_length=MAX_EMAIL), AfterValidator(parse_email)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(9998, 12, 31))]


class In(BaseModel):
    """A request body: unknown members are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Item = TypeVar("Item")
# Pydantic would document a decimal as a string; answers have it as a number (see `dump_json`).
Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    limit: int
    next_cursor: str | None
    next: str | None


class Versioned(BaseModel):
    """What every versioned thing has; `revision` is in the ETag too."""

    id: UUID
    sourced_id: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


SearchText = Query(max_length=200, description="words, each the beginning of a word of code, title or description")
