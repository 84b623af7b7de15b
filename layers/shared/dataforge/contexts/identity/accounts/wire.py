"""Wire models of accounts."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX, PASSWORD_MIN, USERNAME
from dataforge.http.wire import PartialUpdate, RequestModel, TimeZone, WallTime
from dataforge.kernel.email import MAX_EMAIL, parse_email
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text

PREFERENCES_MAX = 16_384  # bytes; a page of the list holds hundreds of people and must fit Lambda's 6 MB


def _username(value: str) -> str:
    if not USERNAME.fullmatch(value):
        message = Text("must have 3 to 255 letters, digits or underscores and start with a letter")
        raise ValueError(message)
    return value


def _email(value: str) -> str:
    return parse_email(value).lower()


def _small(value: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(orjson.dumps(value))
    except orjson.JSONEncodeError as error:
        message = Text("is nested too deeply")
        raise ValueError(message) from error
    if size > PREFERENCES_MAX:
        message = Text("must be at most {preferences_max:,} bytes of JSON", preferences_max=PREFERENCES_MAX)
        raise ValueError(message)
    return value


Username = Annotated[str, AfterValidator(_username)]
Email = Annotated[str, Field(max_length=MAX_EMAIL), AfterValidator(_email)]
Locale = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
Line = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")]


class SignUpIn(RequestModel):
    """A new account; `avatar` is the pseudonym in learning records and is made up when left out."""

    username: Username
    email: Email
    password: Annotated[str, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX, repr=False)]
    avatar: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")] | None = None
    display_name: Line | None = None
    time_zone: TimeZone = "UTC"
    locale: Locale = "en"


class UserOut(BaseModel):
    """A person, without anything secret; `new_email` counts once it is confirmed by the link mailed to it.

    With `email_vouched` the organisation says that the address is theirs; without it and `email_confirmed_at` the
    address is only what somebody typed, and nothing is matched by it.
    An account that an import made is not `claimed` until its person sets a password or proves the address.
    """

    id: UUID
    username: str
    email: str
    avatar: str
    display_name: str
    role: Role
    preferences: dict[str, Any]
    time_zone: str
    locale: str
    reminder_time: WallTime
    quiet_from: WallTime | None
    quiet_to: WallTime | None
    revision: int
    suspended_at: datetime | None
    email_vouched: bool
    email_confirmed_at: datetime | None
    claimed: bool
    new_email: str | None
    created_at: datetime
    updated_at: datetime


class UserPage(BaseModel):
    """A page of people."""

    items: list[UserOut]
    limit: int
    next_cursor: str | None
    next: str | None


class ProfileIn(PartialUpdate):
    """What people change about themselves; the quiet hours can be cleared, a new `email` is to be confirmed."""

    clearable = frozenset({"quiet_from", "quiet_to"})

    display_name: Line | None = None
    email: Email | None = None
    time_zone: TimeZone | None = None
    locale: Locale | None = None
    preferences: Annotated[dict[str, Any], AfterValidator(_small)] | None = None
    reminder_time: WallTime | None = None
    quiet_from: WallTime | None = None
    quiet_to: WallTime | None = None


class UserChangeIn(PartialUpdate):
    """What administrators change about others."""

    role: Role | None = None
    suspended: bool | None = None
