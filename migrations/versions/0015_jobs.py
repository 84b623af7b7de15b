"""One table of jobs for the kinds that need none of their own.

Revision: 0015
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE platform.jobs (
    id UUID NOT NULL,
    kind VARCHAR(60) NOT NULL,
    checkpoint JSONB DEFAULT '{}' NOT NULL,
    status VARCHAR(10) NOT NULL,
    user_id UUID,
    run_parameters JSONB NOT NULL,
    progress JSONB DEFAULT '{}' NOT NULL,
    output_summary JSONB,
    failure JSONB,
    error_message TEXT,
    attempt INTEGER DEFAULT 0 NOT NULL,
    worker UUID,
    lease_until TIMESTAMP WITH TIME ZONE,
    cancel_requested BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE,
    started_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_jobs PRIMARY KEY (id)
);
CREATE INDEX ix_jobs_user_id ON platform.jobs (user_id, id);
CREATE INDEX ix_jobs_open ON platform.jobs (id) WHERE status IN ('pending','running');
CREATE INDEX ix_jobs_completed_at ON platform.jobs (completed_at);
"""

DOWN = """
DROP TABLE platform.jobs;
"""


def upgrade() -> None:
    """Create the table."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Forget the jobs; what they have done stays."""
    op.get_bind().exec_driver_sql(DOWN)
