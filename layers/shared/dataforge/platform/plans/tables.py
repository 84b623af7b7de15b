"""The table of plans of contexts that need none of their own."""

from sqlalchemy import Column, DateTime, Index, String, Table
from sqlalchemy.dialects.postgresql import JSONB, UUID

from dataforge.platform.db.metadata import metadata

plans = Table(
    "plans",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("inputs", JSONB, nullable=False),
    Column("state", JSONB, nullable=False),
    Column("preview", JSONB, nullable=False),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("job_id", UUID(as_uuid=True)),
    Index("ix_plans_kind_plan_hash", "kind", "plan_hash"),
    Index("ix_plans_expires_at", "expires_at"),
    schema="platform",
)
