"""Tables of the platform itself, in the PostgreSQL schema `platform`."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, LargeBinary, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from dataforge.platform.db.metadata import metadata

SCHEMA = "platform"

outbox = Table(
    "outbox",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("key", String(200), nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("relayed_at", DateTime(timezone=True)),
    Column("dead_at", DateTime(timezone=True)),
    Column("last_error", Text),
    Index("ix_outbox_waiting", "next_attempt_at", postgresql_where=text("relayed_at IS NULL AND dead_at IS NULL")),
    Index("ix_outbox_dead", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    Index("ix_outbox_occurred_at", "occurred_at", "id"),
    schema=SCHEMA,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(100), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_idempotency_keys_created_at", "created_at"),
    schema=SCHEMA,
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor_id", UUID(as_uuid=True)),
    Column("workspace_id", UUID(as_uuid=True)),
    Column("action", String(100), nullable=False),
    Column("entity", String(60), nullable=False),
    Column("entity_id", String(200), nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("request_id", String(100)),
    Index("ix_audit_log_entity_entity_id", "entity", "entity_id"),
    Index("ix_audit_log_actor_id", "actor_id", "id"),
    Index("ix_audit_log_request_id", "request_id"),
    Index("ix_audit_log_at", "at"),
    schema=SCHEMA,
)

inbox = Table(
    "inbox",
    metadata,
    Column("consumer", String(60), primary_key=True),
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("consumed_at", DateTime(timezone=True), nullable=False, index=True),
    schema=SCHEMA,
)

throttles = Table(
    "throttles",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("in_flight", Integer, nullable=False),
    Column("window_ends_at", DateTime(timezone=True), nullable=False, index=True),
    schema=SCHEMA,
    prefixes=["UNLOGGED"],
)

upload_claims = Table(
    "upload_claims",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("person_id", UUID(as_uuid=True)),
    Column("subject", String(100), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("claimed_at", DateTime(timezone=True), nullable=False),
    Column("counts_until", DateTime(timezone=True), nullable=False, index=True),
    Index("ix_upload_claims_person_id_counts_until", "person_id", "counts_until"),
    Index("ix_upload_claims_subject_counts_until", "subject", "counts_until"),
    schema=SCHEMA,
)
