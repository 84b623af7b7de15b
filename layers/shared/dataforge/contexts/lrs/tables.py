"""Tables of the record store, in the PostgreSQL schema `records`.

People belong to identity; they are read through its view `identity.directory` and referred to by id without a foreign
key, so that the contexts can be taken apart.
"""

from collections.abc import Mapping

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    column,
    func,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

import dataforge.contexts.lrs.forwarding.tables
import dataforge.contexts.lrs.progress.tables  # noqa: F401 - so that the metadata is complete
from dataforge.platform.db.metadata import metadata

SCHEMA = "records"

# identity's public view (see identity.contract); only read here.
directory = table(
    "directory",
    column("user_id", UUID(as_uuid=True)),
    column("email", Text),
    column("avatar", Text),
    column("display_name", Text),
    column("suspended_at", DateTime(timezone=True)),
    column("proved_email", Text),
    column("matches_from", DateTime(timezone=True)),
    schema="identity",
)

# Which content an id was given to, decided before the answer (ADR 0003).
statement_claims = Table(
    "statement_claims",
    metadata,
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("claimed_at", DateTime(timezone=True), nullable=False),
    Index("ix_statement_claims_claimed_at", "claimed_at"),
    schema=SCHEMA,
)

# Requests whose statements are accepted and not loaded yet: the consistency bound may not overtake them.
intake = Table(
    "intake",
    metadata,
    Column("request_id", UUID(as_uuid=True), primary_key=True),
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Index("ix_intake_stored_at", "stored_at"),
    schema=SCHEMA,
)

statements_raw = Table(
    "statements_raw",
    metadata,
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    # The body of a statement stored before there were partitions, until it is moved to them (see statement_bodies).
    Column("payload", JSONB),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("source", String(4), nullable=False),
    Column("authority", String(100), nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    # Whether it has its rows in statement_keys.
    Column("keyed", Boolean, nullable=False, server_default=text("false")),
    # Whether it was dead: what it says is known from the moment on in which it is flattened after all.
    Column("revived", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("source IN ('xapi','csv')", name="source"),
    CheckConstraint("state IN ('pending','done','failed','dead')", name="state"),
    Index("ix_statements_raw_unflattened", "statement_id", postgresql_where=text("state IN ('pending','failed')")),
    Index("ix_statements_raw_dead", "stored_at", postgresql_where=text("state = 'dead'")),
    Index("ix_statements_raw_listed", "stored_at", "statement_id"),
    Index("ix_statements_raw_unkeyed", "statement_id", postgresql_where=text("NOT keyed")),
    schema=SCHEMA,
)

# The bodies, in partitions by month, so that old ones go without work; `statements_raw` keeps ids unique (ADR 0027).
statement_bodies = Table(
    "statement_bodies",
    metadata,
    Column("stored_at", DateTime(timezone=True), primary_key=True),
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    Column("payload", JSONB, nullable=False),
    Index(
        "ix_statement_bodies_attachments",
        "stored_at",
        "statement_id",
        postgresql_where=text("payload ? 'attachments' OR payload #> '{object,attachments}' IS NOT NULL"),
    ),
    schema="lrs",
    postgresql_partition_by="RANGE (stored_at)",
)

# From when on bodies are written to partitions, and how far those from before have been moved there; one row.
statement_storage = Table(
    "statement_storage",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("partitioned_from", DateTime(timezone=True), nullable=False),
    Column("moved_through_at", DateTime(timezone=True)),
    Column("moved_through_id", UUID(as_uuid=True)),
    Column("moved_at", DateTime(timezone=True)),
    CheckConstraint("id = 1", name="one"),
    schema="lrs",
)

statements_flat = Table(
    "statements_flat",
    metadata,
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    Column("actor_key", Text, nullable=False),
    # What people are matched by; longer values than identity allows cannot match and are left out.
    Column("actor_email", String(255)),
    Column("actor_account", String(64)),
    Column("actor_name", Text),
    Column("user_id", UUID(as_uuid=True)),
    Column("verb_id", Text, nullable=False),
    Column("verb_display", Text),
    Column("object_id", Text),
    Column("object_name", Text),
    Column("object_type", String(20), nullable=False),
    # What the lesson is matched by; a longer value than a lesson's cannot match and is left out.
    Column("lesson_url", String(500)),
    Column("lesson_id", UUID(as_uuid=True)),
    Column("score_scaled", Numeric),
    Column("score_raw", Numeric),
    Column("score_min", Numeric),
    Column("score_max", Numeric),
    Column("success", Boolean),
    Column("completion", Boolean),
    Column("response", Text),
    Column("duration_ms", BigInteger),
    Column("registration", UUID(as_uuid=True)),
    Column("platform", Text),
    Column("language", Text),
    Column("cohort_key", Text),
    Column("completes", Boolean, nullable=False),
    # An answer to a question of the lesson.
    Column("is_question", Boolean, nullable=False, server_default=text("false")),
    Column("voided", Boolean, nullable=False, server_default=text("false")),
    # Since when the store knows its person and lesson, where that is later than `stored_at`; and that it is voided.
    Column("known_from", DateTime(timezone=True)),
    Column("voided_from", DateTime(timezone=True)),
    # Which rules have made the row (flat_rows.domain.FORM); -1 is a release that kept no progress.
    Column("form", SmallInteger, nullable=False, server_default=text("-1")),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("processed_at", DateTime(timezone=True), nullable=False),
    Index(
        "ix_statements_flat_pair",
        "user_id",
        "lesson_id",
        postgresql_where=text("user_id IS NOT NULL AND lesson_id IS NOT NULL"),
    ),
    Index("ix_statements_flat_questions", "lesson_id", postgresql_where=text("is_question")),
    Index("ix_statements_flat_old_form", "statement_id", postgresql_where=text("form < 1")),
    Index("ix_statements_flat_unmatched_email", "actor_email", postgresql_where=text("user_id IS NULL")),
    Index("ix_statements_flat_unmatched_account", "actor_account", postgresql_where=text("user_id IS NULL")),
    Index("ix_statements_flat_unmatched_lesson", "lesson_url", postgresql_where=text("lesson_id IS NULL")),
    Index("ix_statements_flat_stored_at", "stored_at", "statement_id"),
    # A hash, because accounts have no bound; for the statements of an identifier that is linked to a person.
    Index("ix_statements_flat_actor_key", "actor_key", postgresql_using="hash"),
    schema=SCHEMA,
)

# What people are known by besides their account; by the SHA-256 of the actor's key, which has no bound. One that was
# unlinked stays until its statements are released (identifiers.repository).
agent_identifiers = Table(
    "agent_identifiers",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("agent", JSONB, nullable=False),
    Column("user_id", UUID(as_uuid=True), nullable=False),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("unlinked_at", DateTime(timezone=True)),
    Column("matched_at", DateTime(timezone=True)),
    Index("ix_agent_identifiers_user_id", "user_id"),
    Index("ix_agent_identifiers_changed_at", "changed_at"),
    schema="lrs",
)

# Which statement voids which; the target may arrive later (Data 2.3.2).
statement_voids = Table(
    "statement_voids",
    metadata,
    Column("target_id", UUID(as_uuid=True), primary_key=True),
    Column("voided_by", UUID(as_uuid=True), nullable=False),
    Column("voided_at", DateTime(timezone=True), nullable=False),
    # Since when its flat row is known to be voided: the earliest of several voiding statements.
    Column("known_from", DateTime(timezone=True)),
    # The target is here, and it does not void itself.
    Column("applies", Boolean, nullable=False, server_default=text("false")),
    schema=SCHEMA,
)

# Whom the loader takes out of what it loads: salted hashes of what their statements would be found by.
erased_agents = Table(
    "erased_agents",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("responses", Boolean, nullable=False),
    Column("erased_at", DateTime(timezone=True), nullable=False),
    schema="lrs",
)

erasure_salt = Table(
    "erasure_salt",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="one"),
    schema="lrs",
)

# What each statement is found by (search.domain); `via` is whose keys they are: its own, or of one it refers to.
statement_keys = Table(
    "statement_keys",
    metadata,
    Column("key", UUID(as_uuid=True), primary_key=True),
    Column("stored_at", DateTime(timezone=True), primary_key=True),
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    Column("via", UUID(as_uuid=True), primary_key=True),
    schema="lrs",
)

# Statements whose object is a StatementRef; the target may arrive later.
statement_references = Table(
    "statement_references",
    metadata,
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    Column("target_id", UUID(as_uuid=True), nullable=False),
    Index("ix_statement_references_target_id", "target_id"),
    schema="lrs",
)

# Accepted and not loaded yet, to be read by id; unlogged, because the queue has them too.
pending_statements = Table(
    "pending_statements",
    metadata,
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    Column("request_id", UUID(as_uuid=True), nullable=False),
    Column("payload", Text, nullable=False),
    Column("voids", UUID(as_uuid=True)),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Index("ix_pending_statements_voids", "voids", postgresql_where=text("voids IS NOT NULL")),
    schema="lrs",
    prefixes=["UNLOGGED"],
)

# What could not be stored as a statement: kept whole in S3 under `s3_key`, to be looked at and replayed.
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    # None: too large to be kept, discarded, or the raw row of the statement.
    Column("s3_key", String(300)),
    Column("reason", String(40), nullable=False),
    Column("error", Text, nullable=False),
    Column("pointer", Text),
    Column("statement_id", UUID(as_uuid=True)),
    Column("request_id", UUID(as_uuid=True)),
    Column("credential", String(100)),
    Column("violations", JSONB, nullable=False, server_default=text("'[]'")),
    Column("content_type", String(200), nullable=False, server_default=text("'application/json'")),
    Column("xapi_version", String(10)),
    Column("body_bytes", Integer),
    # How often it came.
    Column("repeats", Integer, nullable=False, server_default=text("1")),
    Column("received_at", DateTime(timezone=True), nullable=False),
    # Which body is being replayed or was, and the statements it makes: a replay that was killed is found again by them.
    Column("replay_sha256", String(64)),
    Column("replay_ids", ARRAY(UUID(as_uuid=True)), nullable=False, server_default=text("'{}'")),
    Column("replay_began_at", DateTime(timezone=True)),
    Column("replayed_at", DateTime(timezone=True)),
    Column("discarded_at", DateTime(timezone=True)),
    UniqueConstraint("body_sha256", "reason"),
    Index("ix_quarantine_received_at", "received_at"),
    Index("ix_quarantine_credential_received_at", "credential", "received_at"),
    schema=SCHEMA,
)

# How many refused requests of a credential were kept on a day.
kept_refusals = Table(
    "kept_refusals",
    metadata,
    Column("credential", String(100), primary_key=True),
    Column("kept_on", Date, nullable=False),
    Column("kept", Integer, nullable=False),
    schema="lrs",
)

# Sessions of course players (cmi5): one launch each. Other contexts read it (see contract.PlayerSessions).
sessions = Table(
    "sessions",
    metadata,
    Column("session_id", UUID(as_uuid=True), primary_key=True),
    Column("registration", UUID(as_uuid=True), nullable=False, index=True),
    Column("activity_id", Text, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("launch_mode", String(10), nullable=False),
    Column("move_on", String(20), nullable=False),
    Column("mastery_score", Numeric(5, 4)),
    Column("publisher_id", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    # The defined statements that its player has sent.
    Column("initialized_id", UUID(as_uuid=True)),
    Column("completed_id", UUID(as_uuid=True)),
    Column("passed_id", UUID(as_uuid=True)),
    Column("failed_id", UUID(as_uuid=True)),
    Column("terminated_id", UUID(as_uuid=True)),
    Column("terminated_at", DateTime(timezone=True)),
    Column("last_statement_at", DateTime(timezone=True)),
    Column("satisfied_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("abandoned", Boolean, nullable=False, server_default=text("false")),
    Index("ix_sessions_open", "expires_at", postgresql_where=text("ended_at IS NULL")),
    schema="lrs",
)

# What the launching system says of sessions; kept until it is accepted.
session_statements = Table(
    "session_statements",
    metadata,
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    Column("session_id", UUID(as_uuid=True), ForeignKey(sessions.c.session_id, ondelete="CASCADE"), nullable=False),
    Column("statement", JSONB, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True)),
    Index("ix_session_statements_unsent", "decided_at", postgresql_where=text("sent_at IS NULL")),
    schema="lrs",
)

task_status = Table(
    "task_status",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("run_key", String(100), nullable=False),
    Column("status", String(10), nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'")),
    Column("error", Text),
    UniqueConstraint("name", "run_key"),
    CheckConstraint("status IN ('queued','running','succeeded','failed','retrying')", name="status"),
    schema=SCHEMA,
)

# State and profiles; the keys are hashes because what they are made of has no bound.
documents = Table(
    "documents",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("collection", LargeBinary, nullable=False),
    Column("resource", String(20), nullable=False),
    Column("activity_id", Text),
    Column("agent_key", Text),
    Column("registration", UUID(as_uuid=True)),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("etag", String(40), nullable=False),
    Column("previous_etag", String(40)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("resource IN ('state','activity_profile','agent_profile')", name="resource"),
    Index("ix_documents_collection", "collection", "updated_at"),
    schema="lrs",
)

# Merged definitions, by the SHA-256 of the activity's id, which has no bound.
activities = Table(
    "activities",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("activity_id", Text, nullable=False),
    Column("definition", JSONB, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    schema="lrs",
)


def recordset(columns: Mapping[str, str]) -> str:
    """The column definitions of `json_to_recordset` for columns with their types."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
