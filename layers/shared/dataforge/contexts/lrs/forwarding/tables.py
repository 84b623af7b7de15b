"""Tables of subscriptions and their deliveries."""

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

# To whom statements are sent: webhooks and other record stores. What a plan has looked at is behind the position.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(255), nullable=False),
    Column("url", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("username", String(255)),
    # The webhook's signing secret or the store's password, encrypted (platform.sealing).
    Column("secret", LargeBinary, nullable=False),
    # A webhook's secret before that, which signs too until then.
    Column("previous_secret", LargeBinary),
    Column("previous_until", DateTime(timezone=True)),
    Column("xapi_version", String(10), nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("disabled_reason", Text),
    Column("position_at", DateTime(timezone=True), nullable=False),
    Column("position_id", UUID(as_uuid=True), nullable=False),
    Column("failing_since", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
    Column("last_delivered_at", DateTime(timezone=True)),
    # When a message about what was loaded comes to `worker`: all loaders share it.
    Column("announced_for", DateTime(timezone=True)),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("kind IN ('webhook','lrs')", name="kind"),
    schema="lrs",
)

# One request of statements each, in the order of `number`; only the first that waits is tried.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column(
        "subscription_id", UUID(as_uuid=True), ForeignKey("lrs.subscriptions.id", ondelete="CASCADE"), nullable=False
    ),
    Column("statement_ids", ARRAY(UUID(as_uuid=True)), nullable=False),
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
    Index("ix_deliveries_waiting", "subscription_id", "number", postgresql_where=text("state = 'waiting'")),
    Index("ix_deliveries_subscription_id", "subscription_id", "number"),
    Index("ix_deliveries_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    schema="lrs",
)
