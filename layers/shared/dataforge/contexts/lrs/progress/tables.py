"""Tables of progress, in the PostgreSQL schema `records`."""

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, Index, Integer, Numeric, String, Table, text
from sqlalchemy.dialects.postgresql import UUID

from dataforge.platform.db.metadata import metadata

SCHEMA = "records"

# Persons and lessons that flat rows had before, and while both were known.
former_matches = Table(
    "former_matches",
    metadata,
    Column("statement_id", UUID(as_uuid=True), primary_key=True),
    Column("user_id", UUID(as_uuid=True), nullable=False),
    Column("lesson_id", UUID(as_uuid=True), nullable=False),
    Column("completes", Boolean, nullable=False),
    Column("known_from", DateTime(timezone=True), primary_key=True),
    Column("known_until", DateTime(timezone=True), nullable=False),
    CheckConstraint("known_from < known_until", name="interval"),
    Index("ix_former_matches_pair", "user_id", "lesson_id"),
    schema=SCHEMA,
)

# How far people are with lessons; a row is a function of the pair's matches alone (ADR 0035).
lesson_progress = Table(
    "lesson_progress",
    metadata,
    Column("user_id", UUID(as_uuid=True), primary_key=True),
    Column("lesson_id", UUID(as_uuid=True), primary_key=True),
    Column("statements", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("last_at", DateTime(timezone=True)),
    # The first statement that completes the lesson.
    Column("completed_at", DateTime(timezone=True)),
    Column("completed_by", UUID(as_uuid=True)),
    Column("score_scaled", Numeric),
    # Since when the store knows that this is the first completion, or that there is none any more.
    Column("completion_changed_at", DateTime(timezone=True)),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    # Some match has ended: the row is worked out from all matches whenever one is added.
    Column("withdrawn", Boolean, nullable=False),
    Index("ix_lesson_progress_lesson_id", "lesson_id", "user_id"),
    Index("ix_lesson_progress_changed_at", "changed_at"),
    Index(
        "ix_lesson_progress_completion_changed_at",
        "completion_changed_at",
        "user_id",
        "lesson_id",
        postgresql_where=text("completion_changed_at IS NOT NULL"),
    ),
    schema=SCHEMA,
)

# How many statements erasures and purges have taken out, and when: answers as of an earlier instant say so.
removals = Table(
    "removals",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("statements", Integer, nullable=False),
    CheckConstraint("kind IN ('erasure','purge')", name="kind"),
    Index("ix_removals_at", "at"),
    schema=SCHEMA,
)
