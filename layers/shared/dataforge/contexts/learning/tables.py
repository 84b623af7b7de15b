"""Tables of learning, in the PostgreSQL schema `records`.

People belong to identity; they are read through its view `identity.directory` and referred to by id without a foreign
key, so that the contexts can be taken apart.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    Time,
    column,
    func,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from dataforge.platform.db.metadata import metadata

SCHEMA = "records"

# identity's public view (see identity.contract); only read here.
directory = table(
    "directory",
    column("user_id", UUID(as_uuid=True)),
    column("email", Text),
    column("display_name", Text),
    column("suspended_at", DateTime(timezone=True)),
    schema="identity",
)

# The public view of workspaces (see workspaces.contract); only read here.
memberships = table(
    "memberships",
    column("workspace_id", UUID(as_uuid=True)),
    column("user_id", UUID(as_uuid=True)),
    column("role", Text),
    schema="workspaces",
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

# Memberships that ended before the current one of the same person began.
former_members = Table(
    "former_members",
    metadata,
    Column("cohort_id", UUID(as_uuid=True), ForeignKey(cohorts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("user_id", UUID(as_uuid=True), primary_key=True),
    Column("joined_at", DateTime(timezone=True), primary_key=True),
    Column("left_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

lessons = Table(
    "lessons",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    # The workspace of its cohort; without a cohort it is for all cohorts of the workspace, or of the organisation.
    Column("workspace_id", UUID(as_uuid=True)),
    Column("section_id", UUID(as_uuid=True), index=True),
    Column("cohort_id", UUID(as_uuid=True), ForeignKey(cohorts.c.id, ondelete="RESTRICT"), index=True),
    Column("lesson_url", String(500), nullable=False, unique=True),
    Column("lesson_number", Integer),
    Column("title", String(255), nullable=False),
    Column("lesson_date", Date),
    # With a time of day the lesson is held then, by the clocks of a zone or, without one, of each learner.
    Column("start_time", Time),
    Column("duration_minutes", Integer),
    Column("time_zone", String(64)),
    Column("required", Boolean, nullable=False, server_default=text("true")),
    # What a course player is launched with (cmi5); without content the lesson is launched by somebody else.
    Column("content_url", Text),
    Column("publisher_id", Text),
    Column("move_on", String(20), nullable=False, server_default=text("'CompletedOrPassed'")),
    Column("mastery_score", Numeric(5, 4)),
    Column("launch_parameters", Text),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("(start_time IS NULL) = (duration_minutes IS NULL)", name="hours"),
    CheckConstraint("duration_minutes BETWEEN 1 AND 1440", name="duration_minutes"),
    Index("ix_lessons_workspace_id", "workspace_id", postgresql_where=text("workspace_id IS NOT NULL")),
    schema=SCHEMA,
)

# The activity ids that mean a lesson, in their normal form: its own and aliases.
lesson_addresses = Table(
    "lesson_addresses",
    metadata,
    Column("address", String(500), primary_key=True),
    Column("lesson_id", UUID(as_uuid=True), ForeignKey(lessons.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("alias", Boolean, nullable=False),
    schema=SCHEMA,
)

# One launch of a lesson by a person; its session in the record store has the same id.
launches = Table(
    "launches",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("lesson_id", UUID(as_uuid=True), ForeignKey(lessons.c.id, ondelete="CASCADE"), nullable=False),
    Column("user_id", UUID(as_uuid=True), nullable=False),
    Column("registration", UUID(as_uuid=True), nullable=False),
    Column("launch_mode", String(10), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("fetched_at", DateTime(timezone=True)),
    Index("ix_launches_lesson_id", "lesson_id", "id"),
    Index("ix_launches_user_id", "user_id", "id"),
    schema=SCHEMA,
)
