"""Dry runs of imports are jobs of datasets.

Revision: 0049
"""

from alembic import op

revision = "0049"
down_revision = "0050"
branch_labels = None
depends_on = None

KINDS = "'import','export','sampling','exploration','profiling'"
CHANGE = """
ALTER TABLE datasets.jobs DROP CONSTRAINT ck_jobs_run_type;
ALTER TABLE datasets.jobs ADD CONSTRAINT ck_jobs_run_type CHECK (run_type IN ({kinds})) NOT VALID;
ALTER TABLE datasets.jobs VALIDATE CONSTRAINT ck_jobs_run_type;
"""


def upgrade() -> None:
    """Let jobs plan imports."""
    op.get_bind().exec_driver_sql(CHANGE.format(kinds=f"{KINDS},'import_plan'"))


def downgrade() -> None:
    """Forget the jobs that planned one."""
    op.get_bind().exec_driver_sql("DELETE FROM datasets.jobs WHERE run_type = 'import_plan'")
    op.get_bind().exec_driver_sql(CHANGE.format(kinds=KINDS))
