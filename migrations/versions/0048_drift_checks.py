"""When the schemas of workspaces were last looked at for changes without a deployment.

Revision: 0048
"""

from alembic import op

revision = "0048"
down_revision = "0046"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE schemas.drift_checks (
    workspace_id UUID NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revision VARCHAR(32) NOT NULL,
    found_fingerprint VARCHAR(64) NOT NULL,
    drifted BOOLEAN NOT NULL,
    announced_fingerprint VARCHAR(64),
    CONSTRAINT pk_drift_checks PRIMARY KEY (workspace_id)
);
CREATE INDEX ix_drift_checks_checked_at ON schemas.drift_checks (checked_at);
"""


def upgrade() -> None:
    """Create the table."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove it."""
    op.get_bind().exec_driver_sql("DROP TABLE schemas.drift_checks")
