"""Tables of webhooks and of the deliveries to them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from dataforge.platform.db.metadata import metadata

SCHEMA = "notifications"

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    # None: of the organisation, which hears of what happens in every workspace and in none.
    Column("workspace_id", UUID(as_uuid=True), index=True),
    Column("name", String(255), nullable=False),
    Column("url", Text, nullable=False),
    # Empty: every event.
    Column("event_types", ARRAY(Text), nullable=False),
    # Signing secrets, encrypted (platform.sealing); the one before signs too until then.
    Column("secret", LargeBinary, nullable=False),
    Column("previous_secret", LargeBinary),
    Column("previous_until", DateTime(timezone=True)),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("disabled_reason", Text),
    # A replay of what has happened since then, and the event that it has come to.
    Column("replay_since", DateTime(timezone=True)),
    Column("replayed_through", UUID(as_uuid=True)),
    Column("failing_since", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("last_delivered_at", DateTime(timezone=True)),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

# One request of one event each, in the order of `number`; only the first that waits is tried.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("webhook_id", UUID(as_uuid=True), ForeignKey(webhooks.c.id, ondelete="CASCADE"), nullable=False),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("event_type", String(100), nullable=False),
    Column("workspace_id", UUID(as_uuid=True)),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("data", JSONB, nullable=False),
    Column("is_test", Boolean, nullable=False, server_default=text("false")),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True)),
    Column("last_attempt_at", DateTime(timezone=True)),
    Column("status", Integer),
    Column("error", Text),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('waiting','delivered','dead')", name="state"),
    Index("ix_webhook_deliveries_waiting", "webhook_id", "number", postgresql_where=text("state = 'waiting'")),
    Index("ix_webhook_deliveries_webhook_id", "webhook_id", "number"),
    Index("ix_webhook_deliveries_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    schema=SCHEMA,
)
