"""Notifications: messages, suppressions, preferences, cadences and runs; views of learning and of the directory.

Revision: 0008
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UP = (
    "CREATE SCHEMA notifications",
    "CREATE SCHEMA learning",
    """
CREATE TABLE notifications.messages (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind VARCHAR(40) NOT NULL,
    local_date DATE NOT NULL,
    dedupe_key VARCHAR(120) NOT NULL,
    content JSONB NOT NULL,
    status VARCHAR(10) NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE,
    provider_id TEXT,
    last_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_messages PRIMARY KEY (id),
    CONSTRAINT uq_messages_dedupe_key UNIQUE (dedupe_key),
    CONSTRAINT ck_messages_status CHECK (status IN ('pending','sending','sent','failed','suppressed','skipped'))
)
""",
    """
CREATE INDEX ix_messages_waiting ON notifications.messages (not_before, id) WHERE status IN ('pending','sending')
""",
    "CREATE INDEX ix_messages_user_id_local_date ON notifications.messages (user_id, local_date)",
    "CREATE INDEX ix_messages_created_at ON notifications.messages (created_at, id)",
    """
CREATE TABLE notifications.suppressions (
    email_hash VARCHAR(64) NOT NULL,
    scope VARCHAR(20) NOT NULL,
    reason VARCHAR(12) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_suppressions PRIMARY KEY (email_hash, scope),
    CONSTRAINT ck_suppressions_scope CHECK (scope IN ('reminder','all')),
    CONSTRAINT ck_suppressions_reason CHECK (reason IN ('unsubscribe','bounce','complaint'))
)
""",
    """
CREATE TABLE notifications.preferences (
    user_id UUID NOT NULL,
    kind VARCHAR(40) NOT NULL,
    wanted BOOLEAN NOT NULL,
    CONSTRAINT pk_preferences PRIMARY KEY (user_id, kind)
)
""",
    """
CREATE TABLE notifications.cadences (
    cohort_id UUID NOT NULL,
    cadence VARCHAR(10) NOT NULL,
    weekday SMALLINT,
    revision INTEGER DEFAULT 1 NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_cadences PRIMARY KEY (cohort_id),
    CONSTRAINT ck_cadences_cadence CHECK (cadence IN ('daily','weekdays','weekly','never')),
    CONSTRAINT ck_cadences_weekday CHECK ((cadence = 'weekly') = (weekday IS NOT NULL)),
    CONSTRAINT ck_cadences_weekday_range CHECK (weekday BETWEEN 1 AND 7)
)
""",
    """
CREATE TABLE notifications.runs (
    run_key VARCHAR(80) NOT NULL,
    status VARCHAR(10) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    plan_hash VARCHAR(64),
    counts JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_runs PRIMARY KEY (run_key),
    CONSTRAINT ck_runs_status CHECK (status IN ('running','succeeded'))
)
""",
    # What learning publishes. Two halves, so that each is found by an index.
    """
CREATE VIEW learning.cohorts AS
SELECT id AS cohort_id, name, active FROM records.cohorts
""",
    """
CREATE VIEW learning.active_members AS
SELECT m.cohort_id, m.user_id FROM records.cohort_members m
JOIN records.cohorts c ON c.id = m.cohort_id
WHERE c.active AND m.left_at IS NULL
""",
    """
CREATE VIEW learning.open_lessons AS
SELECT e.user_id, e.cohort_id, e.lesson_id, e.title, e.lesson_url, e.lesson_number, e.lesson_date
FROM (
    SELECT m.user_id, m.cohort_id, l.id AS lesson_id, l.title, l.lesson_url, l.lesson_number, l.lesson_date
    FROM learning.active_members m JOIN records.lessons l ON l.cohort_id = m.cohort_id
    WHERE l.required AND l.lesson_date IS NOT NULL
    UNION ALL
    SELECT m.user_id, m.cohort_id, l.id, l.title, l.lesson_url, l.lesson_number, l.lesson_date
    FROM learning.active_members m JOIN records.lessons l ON l.cohort_id IS NULL
    WHERE l.required AND l.lesson_date IS NOT NULL
) e
WHERE NOT EXISTS (
    SELECT FROM records.statements_flat f
    WHERE f.lesson_id = e.lesson_id AND f.user_id = e.user_id AND f.completes AND NOT f.voided
)
""",
    """
CREATE OR REPLACE VIEW identity.directory AS
SELECT id AS user_id, username, lower(email) AS email, avatar, display_name, role, time_zone, locale, suspended_at,
    reminder_time, quiet_from, quiet_to
FROM identity.users
""",
)


def upgrade() -> None:
    """Make them."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Remove them; the directory keeps its columns, which older code does not ask for."""
    op.get_bind().exec_driver_sql("DROP SCHEMA learning CASCADE")
    op.get_bind().exec_driver_sql("DROP SCHEMA notifications CASCADE")
