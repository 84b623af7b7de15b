"""What is of a deleted workspace waits: its xAPI credentials, and the reminders of its cohorts.

Revision: 0045
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_ACTIVE_MEMBERS = """
CREATE OR REPLACE VIEW learning.active_members AS
SELECT m.cohort_id, m.user_id, c.workspace_id FROM records.cohort_members m
JOIN records.cohorts c ON c.id = m.cohort_id
WHERE c.active AND m.left_at IS NULL
"""
_THERE = (
    "AND (c.workspace_id IS NULL OR EXISTS (SELECT FROM workspaces.directory d WHERE d.workspace_id = c.workspace_id))"
)


def upgrade() -> None:
    """Suspend credentials of what is deleted already; they are published again when they are next changed."""
    run = op.get_bind().exec_driver_sql
    run("ALTER TABLE identity.xapi_credentials ADD COLUMN suspended_at TIMESTAMP WITH TIME ZONE")
    run(
        "UPDATE identity.xapi_credentials c SET suspended_at = now(), published = false FROM workspaces.workspaces w "
        "WHERE w.id = c.workspace_id AND w.deleted_at IS NOT NULL AND c.revoked_at IS NULL"
    )
    run(_ACTIVE_MEMBERS + _THERE)


def downgrade() -> None:
    """Let them work and remind."""
    run = op.get_bind().exec_driver_sql
    run(_ACTIVE_MEMBERS)
    run("ALTER TABLE identity.xapi_credentials DROP COLUMN suspended_at")
