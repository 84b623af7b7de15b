"""Tables of academics, in the PostgreSQL schema `academics`.

Seats are protected here: a section's counts are changed under its row lock only, and the CHECK constraints refuse a
count above a capacity whatever the code does. `user_id` and `instructor_id` are users of identity, without a foreign
key across schemas.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR, UUID

from dataforge.platform.db.metadata import metadata

SCHEMA = "academics"


def _versioned() -> list[Column[object]]:
    return [
        Column("sourced_id", String(255), unique=True),
        Column("revision", Integer, nullable=False, server_default=text("1")),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
    ]


departments = Table(
    "departments",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("code", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    *_versioned(),
    schema=SCHEMA,
)
Index("uq_departments_code_ci", func.lower(departments.c.code), unique=True)

courses = Table(
    "courses",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("code", String(32), nullable=False),
    Column("title", String(255), nullable=False),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("credits", Numeric(5, 2), nullable=False, server_default=text("0")),
    Column("capacity", Integer, nullable=False, server_default=text("0")),
    Column("department_id", UUID(as_uuid=True), ForeignKey(departments.c.id), nullable=False),
    Column("state", String(10), nullable=False, server_default=text("'draft'")),
    # Words of code, title and description; written by the repository, so that prefix search needs no extension.
    Column("search", TSVECTOR, nullable=False),
    *_versioned(),
    CheckConstraint("state IN ('draft','published','archived')", name="state"),
    CheckConstraint("credits >= 0", name="credits"),
    CheckConstraint("capacity >= 0", name="capacity"),
    schema=SCHEMA,
)
Index("uq_courses_code_ci", func.lower(courses.c.code), unique=True)
Index("ix_courses_department_id", courses.c.department_id)
Index("ix_courses_search", courses.c.search, postgresql_using="gin")

semesters = Table(
    "semesters",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("code", String(32), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("add_by", Date, nullable=False),
    Column("drop_by", Date, nullable=False),
    Column("withdraw_by", Date, nullable=False),
    Column("max_credits", Numeric(5, 2), nullable=False),
    Column("time_zone", String(64), nullable=False, server_default=text("'UTC'")),
    *_versioned(),
    CheckConstraint("starts_on <= ends_on", name="dates"),
    CheckConstraint("add_by <= drop_by AND drop_by <= withdraw_by AND withdraw_by <= ends_on", name="deadlines"),
    CheckConstraint("max_credits >= 0", name="max_credits"),
    schema=SCHEMA,
)
Index("uq_semesters_code_ci", func.lower(semesters.c.code), unique=True)

sections = Table(
    "sections",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("course_id", UUID(as_uuid=True), ForeignKey(courses.c.id), nullable=False),
    Column("semester_id", UUID(as_uuid=True), ForeignKey(semesters.c.id), nullable=False, index=True),
    Column("code", String(32), nullable=False),
    Column("state", String(10), nullable=False, server_default=text("'open'")),
    Column("instructor_id", UUID(as_uuid=True), index=True),
    Column("capacity", Integer, nullable=False),
    Column("waitlist_capacity", Integer, nullable=False, server_default=text("0")),
    Column("enrolled_count", Integer, nullable=False, server_default=text("0")),
    Column("waitlisted_count", Integer, nullable=False, server_default=text("0")),
    Column("wait_seq", Integer, nullable=False, server_default=text("0")),
    *_versioned(),
    UniqueConstraint("course_id", "semester_id", "code"),
    CheckConstraint("state IN ('open','closed')", name="state"),
    CheckConstraint("enrolled_count >= 0 AND enrolled_count <= capacity", name="seats"),
    CheckConstraint("waitlisted_count >= 0 AND waitlisted_count <= waitlist_capacity", name="waitlist"),
    schema=SCHEMA,
)

section_meetings = Table(
    "section_meetings",
    metadata,
    Column("section_id", UUID(as_uuid=True), ForeignKey(sections.c.id, ondelete="CASCADE"), primary_key=True),
    Column("weekday", SmallInteger, primary_key=True),
    Column("starts", Time, primary_key=True),
    Column("ends", Time, nullable=False),
    Column("room", String(100), nullable=False, server_default=text("''")),
    CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
    # One that ends at an earlier time than it starts ends on the next day.
    CheckConstraint("starts <> ends", name="times"),
    schema=SCHEMA,
)

holidays = Table(
    "holidays",
    metadata,
    Column("semester_id", UUID(as_uuid=True), ForeignKey(semesters.c.id, ondelete="CASCADE"), primary_key=True),
    Column("starts_on", Date, primary_key=True),
    Column("ends_on", Date, nullable=False),
    Column("name", String(255), nullable=False),
    CheckConstraint("starts_on <= ends_on", name="dates"),
    schema=SCHEMA,
)

meeting_changes = Table(
    "meeting_changes",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("section_id", UUID(as_uuid=True), ForeignKey(sections.c.id, ondelete="CASCADE"), nullable=False),
    # The meeting that was to be: its day and its local time. Without a new day it is cancelled.
    Column("held_on", Date, nullable=False),
    Column("starts", Time, nullable=False),
    Column("new_on", Date),
    Column("new_starts", Time),
    Column("new_ends", Time),
    Column("new_room", String(100), nullable=False, server_default=text("''")),
    Column("note", String(1000), nullable=False, server_default=text("''")),
    Column("changed_by", UUID(as_uuid=True)),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("section_id", "held_on", "starts"),
    CheckConstraint("num_nulls(new_on, new_starts, new_ends) IN (0, 3)", name="moved"),
    schema=SCHEMA,
)

calendar_feeds = Table(
    "calendar_feeds",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("owner_id", UUID(as_uuid=True), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("section_id", UUID(as_uuid=True), ForeignKey(sections.c.id, ondelete="CASCADE"), index=True),
    Column("name", String(100), nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("hint", String(4), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_read_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    CheckConstraint("kind IN ('learner','section','instructor')", name="kind"),
    CheckConstraint("(kind = 'section') = (section_id IS NOT NULL)", name="section"),
    schema=SCHEMA,
)

prerequisites = Table(
    "prerequisites",
    metadata,
    Column("course_id", UUID(as_uuid=True), ForeignKey(courses.c.id, ondelete="CASCADE"), primary_key=True),
    Column("group_no", SmallInteger, primary_key=True),
    Column("required_course_id", UUID(as_uuid=True), ForeignKey(courses.c.id), primary_key=True, index=True),
    Column("kind", String(3), nullable=False, server_default=text("'pre'")),
    Column("min_score", Numeric(5, 2)),
    CheckConstraint("course_id <> required_course_id", name="not_itself"),
    CheckConstraint("kind IN ('pre','co')", name="kind"),
    CheckConstraint("min_score BETWEEN 0 AND 100", name="min_score"),
    schema=SCHEMA,
)

students = Table(
    "students",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("user_id", UUID(as_uuid=True), unique=True),
    Column("number", String(64), nullable=False, unique=True),
    Column("first_name", String(255), nullable=False),
    Column("last_name", String(255), nullable=False),
    Column("email", String(255)),
    # Raised by whatever the rules of enrolment look at: facts read before the locks are still true if it has not moved.
    Column("facts_revision", Integer, nullable=False, server_default=text("0")),
    *_versioned(),
    schema=SCHEMA,
)
Index("ix_students_email_ci", func.lower(students.c.email))
Index("ix_students_name", func.lower(students.c.last_name), func.lower(students.c.first_name), students.c.id)

holds = Table(
    "holds",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("student_id", UUID(as_uuid=True), ForeignKey(students.c.id), nullable=False, index=True),
    Column("code", String(50), nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", UUID(as_uuid=True)),
    Column("placed_at", DateTime(timezone=True), nullable=False),
    Column("released_by", UUID(as_uuid=True)),
    Column("released_at", DateTime(timezone=True)),
    schema=SCHEMA,
)

overrides = Table(
    "overrides",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("student_id", UUID(as_uuid=True), ForeignKey(students.c.id), nullable=False),
    Column("section_id", UUID(as_uuid=True), ForeignKey(sections.c.id), nullable=False, index=True),
    Column("rules", ARRAY(Text), nullable=False),
    Column("reason", Text, nullable=False),
    Column("granted_by", UUID(as_uuid=True)),
    Column("granted_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_by", UUID(as_uuid=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Index("ix_overrides_student_id_section_id", "student_id", "section_id"),
    schema=SCHEMA,
)

enrollments = Table(
    "enrollments",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("student_id", UUID(as_uuid=True), ForeignKey(students.c.id), nullable=False, index=True),
    Column("section_id", UUID(as_uuid=True), ForeignKey(sections.c.id), nullable=False),
    Column("status", String(24), nullable=False),
    Column("wait_no", Integer),
    Column("failure", JSONB),
    Column("score", Numeric(5, 2)),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("decided_at", DateTime(timezone=True)),
    Column("sourced_id", String(255), unique=True),
    CheckConstraint(
        "status IN ('PENDING','ENROLLED','WAITLISTED','DROPPED','WITHDRAWN','COMPLETED','FAILED_HOLD','FAILED_WINDOW',"
        "'FAILED_DUPLICATE','FAILED_PREREQUISITES','FAILED_TIME_CONFLICT','FAILED_CREDIT_LIMIT','FAILED_CAPACITY')",
        name="status",
    ),
    CheckConstraint("(status = 'WAITLISTED') = (wait_no IS NOT NULL)", name="wait_no"),
    CheckConstraint("score BETWEEN 0 AND 100", name="score"),
    Index(
        "uq_enrollments_active",
        "student_id",
        "section_id",
        unique=True,
        postgresql_where=text("status IN ('PENDING','ENROLLED','WAITLISTED')"),
    ),
    Index("uq_enrollments_wait_no", "section_id", "wait_no", unique=True, postgresql_where=text("wait_no IS NOT NULL")),
    Index("ix_enrollments_section_id_status", "section_id", "status"),
    schema=SCHEMA,
)

enrollment_events = Table(
    "enrollment_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("enrollment_id", UUID(as_uuid=True), ForeignKey(enrollments.c.id), nullable=False, index=True),
    Column("from_status", String(24)),
    Column("to_status", String(24), nullable=False),
    Column("reason", Text, nullable=False),
    Column("rule", String(24)),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'")),
    Column("actor_id", UUID(as_uuid=True)),
    Column("at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

course_completions = Table(
    "course_completions",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("student_id", UUID(as_uuid=True), ForeignKey(students.c.id), nullable=False),
    Column("course_id", UUID(as_uuid=True), ForeignKey(courses.c.id), nullable=False, index=True),
    Column("score", Numeric(5, 2)),
    Column("completed_on", Date, nullable=False),
    Column("source", String(10), nullable=False),
    # The enrolment, the xAPI statement or the import it is known from: the same evidence counts once.
    Column("reference", String(255), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("student_id", "course_id", "source", "reference"),
    CheckConstraint("source IN ('enrolment','xapi','import')", name="source"),
    CheckConstraint("score BETWEEN 0 AND 100", name="score"),
    schema=SCHEMA,
)

course_activities = Table(
    "course_activities",
    metadata,
    # An xAPI activity (or the lesson of ours it belongs to) whose completion counts as completing the course.
    Column("course_id", UUID(as_uuid=True), ForeignKey(courses.c.id, ondelete="CASCADE"), primary_key=True),
    Column("lesson_id", UUID(as_uuid=True), primary_key=True, index=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

# Of the release before, which has no platform.inbox; the migration after 0012 of the next release drops it.
consumed_events = Table(
    "consumed_events",
    metadata,
    Column("consumer", String(60), primary_key=True),
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("consumed_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

roster_uploads = Table(
    "roster_uploads",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("s3_key", String(500), nullable=False, unique=True),
    Column("file_name", String(255), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    schema=SCHEMA,
)

roster_plans = Table(
    "roster_plans",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("semester_id", UUID(as_uuid=True), ForeignKey(semesters.c.id), nullable=False, index=True),
    Column("format", String(12), nullable=False),
    Column("source", JSONB, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("inputs_sha256", String(64), nullable=False),
    Column("state_fingerprint", String(64), nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("counts", JSONB, nullable=False),
    # Of the drops those that no line asks for: the file only leaves the student out.
    Column("implied_drops", Integer, nullable=False, server_default=text("0")),
    Column("state", String(10), nullable=False),
    Column("created_by", UUID(as_uuid=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    Column("applied_by", UUID(as_uuid=True)),
    Column("applied_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('planned','applied')", name="state"),
    CheckConstraint("format IN ('simple','oneroster')", name="format"),
    schema=SCHEMA,
)

roster_rows = Table(
    "roster_rows",
    metadata,
    Column("plan_id", UUID(as_uuid=True), primary_key=True),
    Column("row_no", Integer, primary_key=True),
    Column("file", String(60), nullable=False),
    Column("line", Integer),
    Column("kind", String(12), nullable=False),
    Column("sourced_id", String(255)),
    Column("removed", Boolean, nullable=False, server_default=text("false")),
    # What the line says, in one shape for both formats: code, name, first_name, last_name, email, parent, parent_2, …
    Column("data", JSONB, nullable=False),
    # What applying does with it: create, change, drop, unchanged, conflict, ignored.
    Column("action", String(10)),
    Column("reason", JSONB),
    # Of what the row changes: the fields that become different, as {"before": {…}, "after": {…}}.
    Column("changes", JSONB),
    Column("entity_id", UUID(as_uuid=True)),
    Column("student_id", UUID(as_uuid=True)),
    Column("section_id", UUID(as_uuid=True)),
    Column("outcome", String(24)),
    Column("wait_no", Integer),
    Index("ix_roster_rows_plan_id_kind_sourced_id", "plan_id", "kind", "sourced_id"),
    Index("ix_roster_rows_drops", "plan_id", "student_id", postgresql_where=text("action = 'drop'")),
    schema=SCHEMA,
)
