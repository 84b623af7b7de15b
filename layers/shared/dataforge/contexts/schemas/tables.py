"""Tables of schemas, in the PostgreSQL schema `schemas`; what they deploy lives in schemas of workspaces.

From workspaces: the views that it publishes.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
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

SCHEMA = "schemas"

plans = Table(
    "plans",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("workspace_id", UUID(as_uuid=True), nullable=False),
    Column("namespace", String(63), nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("base_fingerprint", String(64), nullable=False),
    Column("target_fingerprint", String(64), nullable=False),
    Column("target", JSONB, nullable=False),
    Column("sql", Text, nullable=False),
    Column("down_sql", Text, nullable=False),
    Column("changes", JSONB, nullable=False),
    Column("down_changes", JSONB, nullable=False),
    Column("warnings", JSONB, nullable=False),
    Column("proof", JSONB, nullable=False),
    Column("engine_version", Integer, nullable=False),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_plans_workspace_id_created_at", "workspace_id", "created_at"),
    schema=SCHEMA,
)

deployments = Table(
    "deployments",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("workspace_id", UUID(as_uuid=True), nullable=False),
    Column("plan_id", UUID(as_uuid=True), ForeignKey(plans.c.id), nullable=False),
    Column("status", String(20), nullable=False),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("confirmations", JSONB, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("lease_until", DateTime(timezone=True)),
    Column("error", JSONB),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('queued','running','succeeded','failed','cancelled')", name="status"),
    Index("ix_deployments_workspace_id_created_at", "workspace_id", "created_at"),
    # One at a time for a workspace: the second of two that race is refused, not queued.
    Index(
        "uq_deployments_under_way",
        "workspace_id",
        unique=True,
        postgresql_where=text("status IN ('queued','running')"),
    ),
    schema=SCHEMA,
)

deployment_steps = Table(
    "deployment_steps",
    metadata,
    Column("deployment_id", UUID(as_uuid=True), ForeignKey(deployments.c.id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("phase", Integer, nullable=False),
    Column("op", String(60), nullable=False),
    Column("object", Text, nullable=False),
    Column("sql", Text, nullable=False),
    Column("done_at", DateTime(timezone=True)),
    schema=SCHEMA,
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("workspace_id", UUID(as_uuid=True), nullable=False),
    Column("number", Integer, nullable=False),
    Column("revision", String(32), nullable=False),
    Column("down_revision", String(32)),
    Column("deployment_id", UUID(as_uuid=True), ForeignKey(deployments.c.id), nullable=False, unique=True),
    Column("plan_hash", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("target", JSONB, nullable=False),
    Column("sql", Text, nullable=False),
    Column("down_sql", Text, nullable=False),
    Column("file_s3_key", Text, nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("status", String(20), nullable=False),
    Column("applied_by", UUID(as_uuid=True)),
    Column("applied_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("workspace_id", "number"),
    UniqueConstraint("workspace_id", "revision"),
    schema=SCHEMA,
)

drift_checks = Table(
    "drift_checks",
    metadata,
    Column("workspace_id", UUID(as_uuid=True), primary_key=True),
    Column("checked_at", DateTime(timezone=True), nullable=False),
    Column("revision", String(32), nullable=False),
    Column("found_fingerprint", String(64), nullable=False),
    Column("drifted", Boolean, nullable=False),
    # The state that people have heard of: of each they hear once.
    Column("announced_fingerprint", String(64)),
    Index("ix_drift_checks_checked_at", "checked_at"),
    schema=SCHEMA,
)

trash = Table(
    "trash",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("workspace_id", UUID(as_uuid=True), nullable=False),
    Column("name", String(63), nullable=False),
    Column("object", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("stable_id", Text),
    Column("size_bytes", BigInteger, nullable=False),
    Column("kept_at", DateTime(timezone=True), nullable=False),
    Column("keep_until", DateTime(timezone=True), nullable=False),
    Column("end_asked_at", DateTime(timezone=True)),
    UniqueConstraint("workspace_id", "name"),
    Index("ix_trash_keep_until", "keep_until"),
    schema=SCHEMA,
)
memberships = table(
    "memberships",
    column("workspace_id", UUID(as_uuid=True)),
    column("user_id", UUID(as_uuid=True)),
    column("role", String),
    schema="workspaces",
)
workspace_directory = table(
    "directory",
    column("workspace_id", UUID(as_uuid=True)),
    column("name", String),
    column("archived_at", DateTime(timezone=True)),
    schema="workspaces",
)
