"""Plans that wait to be applied, and what attachments are found by.

Revision: 0019
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE platform.plans (
    id UUID NOT NULL,
    kind VARCHAR(60) NOT NULL,
    plan_hash VARCHAR(64) NOT NULL,
    inputs JSONB NOT NULL,
    state JSONB NOT NULL,
    preview JSONB NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    job_id UUID,
    CONSTRAINT pk_plans PRIMARY KEY (id)
);
CREATE INDEX ix_plans_kind_plan_hash ON platform.plans (kind, plan_hash);
CREATE INDEX ix_plans_expires_at ON platform.plans (expires_at);
CREATE INDEX ix_statement_bodies_attachments ON lrs.statement_bodies (stored_at, statement_id)
WHERE payload ? 'attachments' OR payload #> '{object,attachments}' IS NOT NULL;
-- They get the keys of their attachments from the job `statements`.
UPDATE records.statements_raw r SET keyed = false FROM lrs.statements s
WHERE s.statement_id = r.statement_id
AND (s.payload ? 'attachments' OR s.payload #> '{object,attachments}' IS NOT NULL);
"""

DOWN = """
DROP INDEX lrs.ix_statement_bodies_attachments;
DROP TABLE platform.plans;
"""


def upgrade() -> None:
    """Create the table and the index."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Forget plans; nothing of what they have done."""
    op.get_bind().exec_driver_sql(DOWN)
