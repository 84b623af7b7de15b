"""What belongs to a workspace: names of datasets in it, lessons of it, and which workspaces are archived.

Revision: 0042
"""

from alembic import op

revision = "0042"
down_revision = "0039"
branch_labels = None
depends_on = None

_UP = (
    # For other contexts, like workspaces.memberships; columns are only ever added.
    """
CREATE VIEW workspaces.directory AS
SELECT id AS workspace_id, name, owner_id, archived_at FROM workspaces.workspaces WHERE deleted_at IS NULL
""",
    # Small tables whose rows are few; the new index is there before the old one goes.
    """
CREATE UNIQUE INDEX uq_datasets_workspace_id_name ON datasets.datasets (workspace_id, name)
    WHERE deleted_at IS NULL AND workspace_id IS NOT NULL
""",
    "ALTER INDEX datasets.uq_datasets_name_created_by RENAME TO uq_datasets_name_created_by_before",
    """
CREATE UNIQUE INDEX uq_datasets_name_created_by ON datasets.datasets (created_by, name)
    WHERE deleted_at IS NULL AND workspace_id IS NULL
""",
    "DROP INDEX datasets.uq_datasets_name_created_by_before",
    # A lesson without a cohort is for all cohorts of its workspace, or of the organisation where it has none.
    "ALTER TABLE records.lessons ADD COLUMN workspace_id UUID",
    """
UPDATE records.lessons l SET workspace_id = c.workspace_id FROM records.cohorts c
WHERE c.id = l.cohort_id AND c.workspace_id IS NOT NULL
""",
    "CREATE INDEX ix_lessons_workspace_id ON records.lessons (workspace_id) WHERE workspace_id IS NOT NULL",
    "CREATE OR REPLACE VIEW learning.cohorts AS SELECT id AS cohort_id, name, active, workspace_id FROM records.cohorts",
    """
CREATE OR REPLACE VIEW learning.active_members AS
SELECT m.cohort_id, m.user_id, c.workspace_id FROM records.cohort_members m
JOIN records.cohorts c ON c.id = m.cohort_id
WHERE c.active AND m.left_at IS NULL
""",
    """
CREATE OR REPLACE VIEW learning.lessons AS
SELECT id AS lesson_id, cohort_id, section_id, lesson_url, lesson_number, title, lesson_date, required, created_at,
    workspace_id
FROM records.lessons
""",
    """
CREATE OR REPLACE FUNCTION learning.lessons_as_of(as_of timestamptz, cohort uuid)
RETURNS TABLE (lesson_id uuid, lesson_url varchar, lesson_number integer, title varchar, lesson_date date,
    required boolean, section_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT l.lesson_id, l.lesson_url, l.lesson_number, l.title, l.lesson_date, l.required, l.section_id
    FROM learning.lessons l WHERE l.created_at <= as_of AND (l.cohort_id = cohort OR l.cohort_id IS NULL
    AND l.workspace_id IS NOT DISTINCT FROM (SELECT c.workspace_id FROM learning.cohorts c WHERE c.cohort_id = cohort))
$$
""",
    """
CREATE OR REPLACE VIEW learning.open_lessons AS
SELECT e.user_id, e.cohort_id, e.lesson_id, e.title, e.lesson_url, e.lesson_number, e.lesson_date
FROM (
    SELECT m.user_id, m.cohort_id, l.id AS lesson_id, l.title, l.lesson_url, l.lesson_number, l.lesson_date
    FROM learning.active_members m JOIN records.lessons l ON l.cohort_id = m.cohort_id
    WHERE l.required AND l.lesson_date IS NOT NULL
    UNION ALL
    SELECT m.user_id, m.cohort_id, l.id, l.title, l.lesson_url, l.lesson_number, l.lesson_date
    FROM learning.active_members m JOIN records.lessons l ON l.cohort_id IS NULL
        AND l.workspace_id IS NOT DISTINCT FROM m.workspace_id
    WHERE l.required AND l.lesson_date IS NOT NULL
) e
WHERE NOT EXISTS (
    SELECT FROM records.lesson_progress p
    WHERE p.user_id = e.user_id AND p.lesson_id = e.lesson_id AND p.completed_at IS NOT NULL
)
""",
    """
CREATE OR REPLACE VIEW learning.lesson_dates AS
SELECT m.user_id, l.id AS lesson_id, l.title, l.lesson_url, l.lesson_date, l.start_time, l.duration_minutes,
    l.time_zone, l.required, l.updated_at
FROM learning.active_members m JOIN records.lessons l ON l.cohort_id = m.cohort_id
WHERE l.lesson_date IS NOT NULL
UNION ALL
SELECT m.user_id, l.id, l.title, l.lesson_url, l.lesson_date, l.start_time, l.duration_minutes,
    l.time_zone, l.required, l.updated_at
FROM (SELECT DISTINCT user_id, workspace_id FROM learning.active_members) m
JOIN records.lessons l ON l.workspace_id IS NOT DISTINCT FROM m.workspace_id
WHERE l.cohort_id IS NULL AND l.lesson_date IS NOT NULL
""",
)
_DOWN = (
    "DROP VIEW learning.lesson_dates, learning.open_lessons, learning.active_members",
    "DROP VIEW learning.lessons, learning.cohorts",
    "CREATE VIEW learning.cohorts AS SELECT id AS cohort_id, name, active FROM records.cohorts",
    """
CREATE VIEW learning.lessons AS
SELECT id AS lesson_id, cohort_id, section_id, lesson_url, lesson_number, title, lesson_date, required, created_at
FROM records.lessons
""",
    """
CREATE OR REPLACE FUNCTION learning.lessons_as_of(as_of timestamptz, cohort uuid)
RETURNS TABLE (lesson_id uuid, lesson_url varchar, lesson_number integer, title varchar, lesson_date date,
    required boolean, section_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT l.lesson_id, l.lesson_url, l.lesson_number, l.title, l.lesson_date, l.required, l.section_id
    FROM learning.lessons l WHERE l.created_at <= as_of AND (l.cohort_id IS NULL OR l.cohort_id = cohort)
$$
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
    SELECT FROM records.lesson_progress p
    WHERE p.user_id = e.user_id AND p.lesson_id = e.lesson_id AND p.completed_at IS NOT NULL
)
""",
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
    "ALTER TABLE records.lessons DROP COLUMN workspace_id",
    "DROP INDEX datasets.uq_datasets_workspace_id_name, datasets.uq_datasets_name_created_by",
    """
CREATE UNIQUE INDEX uq_datasets_name_created_by ON datasets.datasets (created_by, name) WHERE deleted_at IS NULL
""",
    "DROP VIEW workspaces.directory",
)


def upgrade() -> None:
    """Add them."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Drop them; lessons of a workspace without a cohort are everybody's again."""
    for statement in _DOWN:
        op.get_bind().exec_driver_sql(statement)
