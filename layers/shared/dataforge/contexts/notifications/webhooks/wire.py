"""Wire models of webhooks and deliveries."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from dataforge.contexts.notifications.webhooks.events import EventScope
from dataforge.http.wire import PartialUpdate, RequestModel
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import Row
from dataforge.platform.deliveries.domain import DeliveryState

WebhookName = Annotated[str, Field(min_length=1, max_length=255)]
WebhookUrl = Annotated[str, Field(max_length=2000, description="https; a public address")]
EventType = Annotated[str, Field(max_length=100)]
EventTypes = Annotated[
    list[EventType], Field(max_length=100, description="types it hears of; none: every event, also future ones")
]


class WebhookIn(RequestModel):
    """Where events go from now on; without `workspace_id` those of the whole organisation."""

    name: WebhookName
    url: WebhookUrl
    event_types: EventTypes = []
    workspace_id: UUID | None = None


class WebhookPatch(PartialUpdate):
    """What changes; `enabled` true goes on with what waits."""

    clearable: ClassVar[frozenset[str]] = frozenset()

    name: WebhookName | None = None
    url: WebhookUrl | None = None
    event_types: EventTypes | None = None
    enabled: bool | None = None

    def changes(self) -> Row:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class WebhookOut(BaseModel):
    """A webhook: `waiting` and `dead` count deliveries, `replay_since` is set while a replay looks for events."""

    id: UUID
    workspace_id: UUID | None
    name: str
    url: str
    event_types: list[str]
    enabled: bool
    disabled_reason: str | None
    replay_since: datetime | None
    failing_since: datetime | None
    last_error: str | None
    last_delivered_at: datetime | None
    waiting: int
    dead: int
    next_attempt_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime


class NewWebhookOut(WebhookOut):
    """A new webhook; its signing `secret` is shown this once."""

    secret: str


class WebhookPage(BaseModel):
    """Webhooks, oldest first."""

    items: list[WebhookOut]
    limit: int
    next_cursor: str | None
    next: str | None


class EventDeliveryOut(BaseModel):
    """A delivery: its id is the `webhook-id` of each attempt, also when it is replayed."""

    id: UUID
    event_id: UUID
    event_type: str
    workspace_id: UUID | None
    occurred_at: datetime
    is_test: bool
    state: DeliveryState
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    last_attempt_at: datetime | None
    status: int | None
    error: str | None
    ended_at: datetime | None


class EventBodyOut(BaseModel):
    """The body of a delivery; GET /api/webhooks/event-types has the JSON Schema of each type."""

    type: str
    timestamp: datetime
    event_id: UUID
    workspace_id: UUID | None
    data: dict[str, Any]


class WholeEventDeliveryOut(EventDeliveryOut):
    """A delivery with what is sent."""

    body: EventBodyOut


class EventDeliveryPage(BaseModel):
    """Deliveries, newest first."""

    items: list[EventDeliveryOut]
    limit: int
    next_cursor: str | None
    next: str | None


class WebhookSecretOut(BaseModel):
    """A new signing secret, shown this once; the one before signs too for 24 hours."""

    secret: str


class WebhookTestOut(BaseModel):
    """The delivery of a test."""

    delivery_id: UUID


class ReplayIn(RequestModel):
    """What is sent again: one delivery, all that were given up, or all that has happened since a time."""

    delivery_id: UUID | None = None
    failed: bool = False
    since: Annotated[AwareDatetime | None, Field(description="within the last 14 days")] = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = (self.delivery_id is not None) + self.failed + (self.since is not None)
        if given != 1:
            message = Text("give one of delivery_id, failed and since")
            raise ValueError(message)
        return self


class ReplayOut(BaseModel):
    """How many deliveries are sent again; null for `since`, for which the worker looks."""

    replayed: int | None


class EventTypeOut(BaseModel):
    """A type of events: whether webhooks of workspaces hear of it, and the JSON Schema of its deliveries' bodies."""

    type: str
    description: str
    scope: EventScope
    body_schema: Annotated[dict[str, Any], Field(description="JSON Schema, draft 2020-12")]


class EventTypeList(BaseModel):
    """The types that are published, by name."""

    items: list[EventTypeOut]
