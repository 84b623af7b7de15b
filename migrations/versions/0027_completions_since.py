"""Completions since an instant a page at a time, and what changed after a watermark by an index.

Revision: 0027
"""

from alembic import op

revision = "0027"
down_revision = "0028"
branch_labels = None
depends_on = None

UP = """
CREATE INDEX ix_lesson_progress_changed_at ON records.lesson_progress (changed_at);
-- A page of `completions_between` behind a change; each half is read in order and no further than the page.
CREATE FUNCTION learning.completions_page(as_of timestamptz, after_at timestamptz, after_user uuid, after_lesson uuid,
    most bigint)
RETURNS TABLE (user_id uuid, lesson_id uuid, completed_at timestamptz, completed_by uuid, score_scaled numeric,
    completion_changed_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT c.user_id, c.lesson_id, c.completed_at, c.completed_by, c.score_scaled, c.completion_changed_at FROM (
        (SELECT p.user_id, p.lesson_id, p.completed_at, p.completed_by, p.score_scaled, p.completion_changed_at
        FROM learning.progress p
        WHERE (p.completion_changed_at, p.user_id, p.lesson_id) > (after_at, after_user, after_lesson)
        AND p.completion_changed_at <= as_of
        ORDER BY p.completion_changed_at, p.user_id, p.lesson_id LIMIT most)
        UNION ALL
        (SELECT p.user_id, p.lesson_id, t.completed_at, t.completed_by, t.score_scaled, t.completion_changed_at
        FROM learning.progress p CROSS JOIN LATERAL learning.progress_of(as_of, p.user_id, p.lesson_id) t
        WHERE p.completion_changed_at > as_of
        AND (t.completion_changed_at, p.user_id, p.lesson_id) > (after_at, after_user, after_lesson)
        ORDER BY t.completion_changed_at, p.user_id, p.lesson_id LIMIT most)
    ) c ORDER BY c.completion_changed_at, c.user_id, c.lesson_id LIMIT most
$$;
REVOKE ALL ON FUNCTION learning.completions_page(timestamptz, timestamptz, uuid, uuid, bigint) FROM PUBLIC;
"""

DOWN = """
DROP FUNCTION learning.completions_page(timestamptz, timestamptz, uuid, uuid, bigint);
DROP INDEX records.ix_lesson_progress_changed_at;
"""


def upgrade() -> None:
    """Make index and function."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Drop them."""
    op.get_bind().exec_driver_sql(DOWN)
