"""Hours of lessons, when each learner has which lesson, and what their calendars were sent of it.

Revision: 0030
"""

from alembic import op

revision = "0030"
down_revision = "0025"
branch_labels = None
depends_on = None

_UP = (
    """
ALTER TABLE records.lessons ADD COLUMN start_time TIME WITHOUT TIME ZONE, ADD COLUMN duration_minutes INTEGER,
    ADD COLUMN time_zone VARCHAR(64),
    ADD CONSTRAINT ck_lessons_hours CHECK ((start_time IS NULL) = (duration_minutes IS NULL)) NOT VALID,
    ADD CONSTRAINT ck_lessons_duration_minutes CHECK (duration_minutes BETWEEN 1 AND 1440) NOT VALID
""",
    # The columns are new and empty; reading the table does not keep anybody from writing.
    "ALTER TABLE records.lessons VALIDATE CONSTRAINT ck_lessons_hours",
    "ALTER TABLE records.lessons VALIDATE CONSTRAINT ck_lessons_duration_minutes",
    # Two halves, so that each is found by an index; a lesson without a cohort is everybody's.
    """
CREATE VIEW learning.lesson_dates AS
SELECT m.user_id, l.id AS lesson_id, l.title, l.lesson_url, l.lesson_date, l.start_time, l.duration_minutes,
    l.time_zone, l.required, l.updated_at
FROM learning.active_members m JOIN records.lessons l ON l.cohort_id = m.cohort_id
WHERE l.lesson_date IS NOT NULL
UNION ALL
SELECT m.user_id, l.id, l.title, l.lesson_url, l.lesson_date, l.start_time, l.duration_minutes,
    l.time_zone, l.required, l.updated_at
FROM (SELECT DISTINCT user_id FROM learning.active_members) m CROSS JOIN records.lessons l
WHERE l.cohort_id IS NULL AND l.lesson_date IS NOT NULL
""",
    """
CREATE TABLE notifications.calendar_events (
    user_id UUID NOT NULL,
    lesson_id UUID NOT NULL,
    sequence INTEGER NOT NULL,
    state VARCHAR(10) NOT NULL,
    title VARCHAR(255) NOT NULL,
    lesson_url VARCHAR(500) NOT NULL,
    lesson_date DATE NOT NULL,
    start_time TIME WITHOUT TIME ZONE,
    duration_minutes INTEGER,
    zone VARCHAR(64),
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_calendar_events PRIMARY KEY (user_id, lesson_id),
    CONSTRAINT ck_calendar_events_state CHECK (state IN ('invited','cancelled')),
    CONSTRAINT ck_calendar_events_sequence CHECK (sequence >= 0)
)
""",
    "CREATE INDEX ix_calendar_events_invited ON notifications.calendar_events (lesson_date) WHERE state = 'invited'",
)
_DOWN = (
    "DROP TABLE notifications.calendar_events",
    "DROP VIEW learning.lesson_dates",
    "ALTER TABLE records.lessons DROP COLUMN start_time, DROP COLUMN duration_minutes, DROP COLUMN time_zone",
)


def upgrade() -> None:
    """Add them."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Drop them; hours of lessons are lost."""
    for statement in _DOWN:
        op.get_bind().exec_driver_sql(statement)
