"""Wire models of subscriptions and deliveries."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from dataforge.contexts.lrs.forwarding.domain import SubscriptionKind
from dataforge.contexts.lrs.statements.domain.validation.formats import is_iri
from dataforge.http.wire import PartialUpdate, RequestModel
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import Row
from dataforge.platform.deliveries.domain import DeliveryState

Name = Annotated[str, Field(min_length=1, max_length=255)]
Url = Annotated[str, Field(max_length=2000, description="https; of a store, what /statements comes behind")]
Iri = Annotated[str, Field(max_length=2000)]
Username = Annotated[str, Field(min_length=1, max_length=255, description="key at the other store")]
Password = Annotated[str, Field(min_length=1, max_length=1000, description="secret at the other store; never shown")]
Version = Literal["1.0.3", "2.0.0"]


class FilterIn(RequestModel):
    """Statements that meet all that is given; nothing given: every statement."""

    agent: dict[str, Any] | None = None
    verb: Iri | None = None
    activity: Iri | None = None
    registration: UUID | None = None
    related: Annotated[bool, Field(description="also where agent or activity are only mentioned")] = False

    @model_validator(mode="after")
    def _iris(self) -> Self:
        for name in ("verb", "activity"):
            value = getattr(self, name)
            if value is not None and not is_iri(value):
                message = Text("{name} must be an absolute IRI", name=name)
                raise ValueError(message)
        return self

    def stored(self) -> dict[str, Any]:
        """As it is kept."""
        return self.model_dump(mode="json", exclude_none=True)


class SubscriptionIn(RequestModel):
    """To whom statements are sent from now on, or from `since`; a store needs `username` and `password`."""

    kind: SubscriptionKind
    name: Name
    url: Url
    filter: FilterIn = FilterIn()
    username: Username | None = None
    password: Password | None = None
    xapi_version: Version = "1.0.3"
    since: Annotated[datetime | None, Field(description="also what was stored after this time")] = None

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        given = self.username is not None, self.password is not None
        if self.kind is SubscriptionKind.LRS and given != (True, True):
            message = Text("a store needs username and password")
            raise ValueError(message)
        if self.kind is SubscriptionKind.WEBHOOK and any(given):
            message = Text("a webhook has no username and password: its secret is made here")
            raise ValueError(message)
        return self

    def values(self) -> Row:
        """The row that is to be made."""
        since = {} if self.since is None else {"position_at": self.since}
        return {
            "kind": self.kind.value,
            "name": self.name,
            "url": self.url,
            "filter": self.filter.stored(),
            "username": self.username,
            "xapi_version": self.xapi_version,
            **since,
        }


class SubscriptionPatch(PartialUpdate):
    """What changes; `enabled` true goes on where it has stopped."""

    clearable: ClassVar[frozenset[str]] = frozenset()

    name: Name | None = None
    url: Url | None = None
    filter: FilterIn | None = None
    username: Username | None = None
    password: Password | None = None
    xapi_version: Version | None = None
    enabled: bool | None = None

    def changes(self) -> Row:
        """The fields that were sent, but the password."""
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"password"}}
        return {**sent, "filter": self.filter.stored()} if self.filter is not None else sent


class SubscriptionOut(BaseModel):
    """A subscription: `waiting` and `dead` count deliveries, `lag_seconds` is how far planning is behind."""

    id: UUID
    kind: SubscriptionKind
    name: str
    url: str
    filter: FilterIn
    username: str | None
    xapi_version: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    last_error: str | None
    last_delivered_at: datetime | None
    waiting: int
    dead: int
    next_attempt_at: datetime | None
    lag_seconds: float
    revision: int
    created_at: datetime
    updated_at: datetime


class NewSubscriptionOut(SubscriptionOut):
    """A new subscription; a webhook's `secret` is shown this once."""

    secret: str | None


class SubscriptionPage(BaseModel):
    """Subscriptions, oldest first."""

    items: list[SubscriptionOut]
    limit: int
    next_cursor: str | None
    next: str | None


class DeliveryOut(BaseModel):
    """A delivery: its id is the `webhook-id` of each attempt."""

    id: UUID
    state: DeliveryState
    is_test: bool
    statement_ids: list[UUID]
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    last_attempt_at: datetime | None
    status: int | None
    error: str | None
    ended_at: datetime | None


class DeliveryPage(BaseModel):
    """Deliveries, newest first."""

    items: list[DeliveryOut]
    limit: int
    next_cursor: str | None
    next: str | None


class SecretOut(BaseModel):
    """A webhook's new signing secret, shown this once; the one before signs too for 24 hours."""

    secret: str


class TestOut(BaseModel):
    """The delivery of a test."""

    delivery_id: UUID


class RedriveOut(BaseModel):
    """How many deliveries are tried again."""

    redriven: int
