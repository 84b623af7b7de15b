"""Tables of records, in the PostgreSQL schema `records`.

People belong to identity; they are read through its view `identity.directory` and referred to by id without a foreign
key, so that the contexts can be taken apart.
"""

from sqlalchemy import (
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
    schema="identity",
)

cohorts = Table(
    "cohorts",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("workspace_id", UUID(as_uuid=True)),
    Column("name", String(255), nullable=False),
    Column("team", String(120), nullable=False, server_default=text("''")),
    Column("group_name", String(120), nullable=False, server_default=text("''")),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)
Index(
    "uq_cohorts_workspace_id_name_ci",
    cohorts.c.workspace_id,
    func.lower(cohorts.c.name),
    unique=True,
    postgresql_nulls_not_distinct=True,
)

cohort_members = Table(
    "cohort_members",
    metadata,
    Column("cohort_id", UUID(as_uuid=True), ForeignKey(cohorts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("user_id", UUID(as_uuid=True), primary_key=True),
    Column("joined_at", DateTime(timezone=True), nullable=False),
    Column("left_at", DateTime(timezone=True)),
    Index("ix_cohort_members_user_id", "user_id"),
    schema=SCHEMA,
)

lessons = Table(
    "lessons",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("section_id", UUID(as_uuid=True), index=True),
    Column("cohort_id", UUID(as_uuid=True), ForeignKey(cohorts.c.id, ondelete="RESTRICT"), index=True),
    Column("lesson_url", String(500), nullable=False, unique=True),
    Column("lesson_number", Integer),
    Column("title", String(255), nullable=False),
    Column("lesson_date", Date),
    Column("required", Boolean, nullable=False, server_default=text("true")),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
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

# Requests whose statements are accepted and not landed yet: the consistency bound may not overtake them.
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
    Column("payload", JSONB, nullable=False),
    Column("payload_sha256", LargeBinary, nullable=False),
    Column("source", String(4), nullable=False),
    Column("authority", String(100), nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    CheckConstraint("source IN ('xapi','csv')", name="source"),
    CheckConstraint("state IN ('pending','done','failed','dead')", name="state"),
    Index("ix_statements_raw_unflattened", "statement_id", postgresql_where=text("state IN ('pending','failed')")),
    Index("ix_statements_raw_dead", "stored_at", postgresql_where=text("state = 'dead'")),
    # Read together with its like on the flat rows, and without the rows themselves, to find what is missing there.
    Index("ix_statements_raw_stored_at", "stored_at", "statement_id", postgresql_where=text("state = 'done'")),
    schema=SCHEMA,
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
    Column("voided", Boolean, nullable=False, server_default=text("false")),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
    Column("processed_at", DateTime(timezone=True), nullable=False),
    Index("ix_statements_flat_lesson", "lesson_id", "user_id", postgresql_where=text("completes AND NOT voided")),
    Index("ix_statements_flat_unmatched_email", "actor_email", postgresql_where=text("user_id IS NULL")),
    Index("ix_statements_flat_unmatched_account", "actor_account", postgresql_where=text("user_id IS NULL")),
    Index("ix_statements_flat_unmatched_lesson", "lesson_url", postgresql_where=text("lesson_id IS NULL")),
    Index("ix_statements_flat_stored_at", "stored_at", "statement_id"),
    schema=SCHEMA,
)

# Which statement voids which; the target may arrive later (Data 2.3.2).
statement_voids = Table(
    "statement_voids",
    metadata,
    Column("target_id", UUID(as_uuid=True), primary_key=True),
    Column("voided_by", UUID(as_uuid=True), nullable=False),
    Column("voided_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

# What could not be stored as a statement: kept whole in S3 under `s3_key`, to be looked at and replayed.
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("s3_key", String(300), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("error", Text, nullable=False),
    Column("pointer", Text),
    Column("statement_id", UUID(as_uuid=True)),
    Column("request_id", UUID(as_uuid=True)),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("replayed_at", DateTime(timezone=True)),
    UniqueConstraint("body_sha256", "reason"),
    Index("ix_quarantine_received_at", "received_at"),
    schema=SCHEMA,
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
