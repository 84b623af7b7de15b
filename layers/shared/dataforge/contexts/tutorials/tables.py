"""Tables of tutorials, in the PostgreSQL schema `tutorials`.

Workspaces, people and lessons belong to other contexts and are referred to by id without a foreign key.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    column,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from dataforge.platform.db.metadata import metadata

SCHEMA = "tutorials"

# learning's public views; only read here.
lessons = table(
    "lessons",
    column("lesson_id", UUID(as_uuid=True)),
    column("workspace_id", UUID(as_uuid=True)),
    column("cohort_id", UUID(as_uuid=True)),
    schema="learning",
)
cohorts = table(
    "cohorts",
    column("cohort_id", UUID(as_uuid=True)),
    column("workspace_id", UUID(as_uuid=True)),
    column("name", Text),
    column("active", Boolean),
    schema="learning",
)
# Those of workspaces.
memberships = table(
    "memberships",
    column("workspace_id", UUID(as_uuid=True)),
    column("user_id", UUID(as_uuid=True)),
    schema="workspaces",
)
workspace_directory = table(
    "directory",
    column("workspace_id", UUID(as_uuid=True)),
    column("name", String),
    column("archived_at", DateTime(timezone=True)),
    schema="workspaces",
)


def _versioned() -> list[Column[object]]:
    return [
        Column("revision", Integer, nullable=False, server_default=text("1")),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
    ]


def _list(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text("'[]'"))


transcripts = Table(
    "transcripts",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("workspace_id", UUID(as_uuid=True), nullable=False),
    Column("owner_id", UUID(as_uuid=True), nullable=False),
    Column("lesson_id", UUID(as_uuid=True)),
    Column("title", String(255), nullable=False),
    Column("format", String(10), nullable=False),
    Column("recording_url", String(2048)),
    Column("recorded_at", DateTime(timezone=True)),
    Column("duration_ms", BigInteger, nullable=False),
    Column("language", String(35)),
    # Of the content, not of how it was written: see transcripts/domain.py.
    Column("sha256", String(64), nullable=False),
    Column("object_key", String(200), nullable=False),
    Column("byte_count", Integer, nullable=False),
    Column("segment_count", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("failure", JSONB),
    *_versioned(),
    CheckConstraint("format IN ('phrases','vtt','srt','zoom','teams')", name="format"),
    CheckConstraint("state IN ('processing','ready','failed')", name="state"),
    UniqueConstraint("workspace_id", "sha256"),
    Index("ix_transcripts_workspace_id_created_at_id", "workspace_id", "created_at", "id"),
    Index("ix_transcripts_owner_id", "owner_id"),
    schema=SCHEMA,
)

transcript_segments = Table(
    "transcript_segments",
    metadata,
    Column("transcript_id", UUID(as_uuid=True), ForeignKey(transcripts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("speaker", String(200)),
    Column("text", Text, nullable=False),
    Column("confidence", Float),
    CheckConstraint("start_ms >= 0 AND start_ms <= end_ms", name="times"),
    schema=SCHEMA,
)

tutorials = Table(
    "tutorials",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("transcript_id", UUID(as_uuid=True), ForeignKey(transcripts.c.id, ondelete="SET NULL"), index=True),
    Column("workspace_id", UUID(as_uuid=True), nullable=False),
    Column("user_id", UUID(as_uuid=True), nullable=False),
    Column("title", String(255), nullable=False),
    Column("summary", Text, nullable=False, server_default=text("''")),
    Column("content_md", Text, nullable=False, server_default=text("''")),
    _list("prerequisites"),
    _list("glossary"),
    _list("sections"),
    Column("expert", String(200)),
    _list("dropped"),
    Column("language", String(35)),
    Column("state", String(10), nullable=False),
    Column("engine", String(40), nullable=False),
    Column("engine_version", String(80), nullable=False),
    Column("lesson_id", UUID(as_uuid=True)),
    Column("published_at", DateTime(timezone=True)),
    Column("archived_at", DateTime(timezone=True)),
    Column("search_text", Text, nullable=False, server_default=text("''")),
    *_versioned(),
    CheckConstraint("state IN ('draft','published','archived')", name="state"),
    Index("ix_tutorials_workspace_id_created_at_id", "workspace_id", "created_at", "id"),
    Index("ix_tutorials_user_id", "user_id"),
    schema=SCHEMA,
)

tutorial_steps = Table(
    "tutorial_steps",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("tutorial_id", UUID(as_uuid=True), ForeignKey(tutorials.c.id, ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("segment_from", Integer, nullable=False),
    Column("segment_to", Integer, nullable=False),
    Column("score", Float),
    # Looked at when the transaction ends, so that steps may change places.
    UniqueConstraint("tutorial_id", "position", deferrable=True, initially="DEFERRED"),
    CheckConstraint("start_ms >= 0 AND start_ms <= end_ms", name="times"),
    CheckConstraint("segment_from >= 0 AND segment_from <= segment_to", name="segments"),
    schema=SCHEMA,
)

tutorial_links = Table(
    "tutorial_links",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column(
        "tutorial_id", UUID(as_uuid=True), ForeignKey(tutorials.c.id, ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_by", UUID(as_uuid=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    schema=SCHEMA,
)
