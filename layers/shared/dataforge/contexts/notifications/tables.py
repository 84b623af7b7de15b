"""Tables of notifications, in the PostgreSQL schema `notifications`.

People and lessons belong to other contexts; they are read through `identity.directory` and `records.open_lessons` and
referred to by id without a foreign key.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

import dataforge.contexts.notifications.webhooks.tables  # noqa: F401 - so that the metadata is complete
from dataforge.platform.db.metadata import metadata

SCHEMA = "notifications"

messages = Table(
    "messages",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    # Neither for a mail whose address is found when it is sent.
    Column("user_id", UUID(as_uuid=True)),
    Column("address", String(255)),
    Column("kind", String(40), nullable=False),
    Column("local_date", Date, nullable=False),
    Column("dedupe_key", String(120), nullable=False, unique=True),
    Column("content", JSONB, nullable=False),
    Column("status", String(10), nullable=False),
    Column("not_before", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("claimed_at", DateTime(timezone=True)),
    Column("provider_id", Text),
    Column("last_error", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('pending','sending','sent','failed','suppressed','skipped')", name="status"),
    Index("ix_messages_waiting", "not_before", "id", postgresql_where=text("status IN ('pending','sending')")),
    Index("ix_messages_user_id_local_date", "user_id", "local_date"),
    Index("ix_messages_created_at", "created_at", "id"),
    schema=SCHEMA,
)

# By the hash of the address: who is erased stays suppressed without being known.
suppressions = Table(
    "suppressions",
    metadata,
    Column("email_hash", String(64), primary_key=True),
    Column("scope", String(20), primary_key=True),
    Column("reason", String(12), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    CheckConstraint("scope IN ('reminder','enrollment','review','import','schema','webhook','all')", name="scope"),
    CheckConstraint("reason IN ('unsubscribe','bounce','complaint')", name="reason"),
    schema=SCHEMA,
)

preferences = Table(
    "preferences",
    metadata,
    Column("user_id", UUID(as_uuid=True), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("wanted", Boolean, nullable=False),
    schema=SCHEMA,
)

# How often a cohort is reminded; a cohort without a row is reminded daily.
cadences = Table(
    "cadences",
    metadata,
    Column("cohort_id", UUID(as_uuid=True), primary_key=True),
    Column("cadence", String(10), nullable=False),
    Column("weekday", SmallInteger),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("cadence IN ('daily','weekdays','weekly','never')", name="cadence"),
    CheckConstraint("(cadence = 'weekly') = (weekday IS NOT NULL)", name="weekday"),
    CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday_range"),
    schema=SCHEMA,
)

runs = Table(
    "runs",
    metadata,
    Column("run_key", String(80), primary_key=True),
    Column("name", String(60), nullable=False, server_default=text("'send_daily_reminders'")),
    Column("status", String(10), nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("plan_hash", String(64)),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'")),
    Column("error", Text),
    CheckConstraint("status IN ('queued','running','succeeded','failed','retrying')", name="status"),
    schema=SCHEMA,
)

# What each learner's calendar was sent last of a lesson's date; `zone` where it has hours.
calendar_events = Table(
    "calendar_events",
    metadata,
    Column("user_id", UUID(as_uuid=True), primary_key=True),
    Column("lesson_id", UUID(as_uuid=True), primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("title", String(255), nullable=False),
    Column("lesson_url", String(500), nullable=False),
    Column("lesson_date", Date, nullable=False),
    Column("start_time", Time),
    Column("duration_minutes", Integer),
    Column("zone", String(64)),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state IN ('invited','cancelled')", name="state"),
    CheckConstraint("sequence >= 0", name="sequence"),
    Index("ix_calendar_events_invited", "lesson_date", postgresql_where=text("state = 'invited'")),
    schema=SCHEMA,
)
