"""What was dropped from the schemas of workspaces and is kept for a while.

Revision: 0046
"""

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE schemas.trash (
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    name VARCHAR(63) NOT NULL,
    object TEXT NOT NULL,
    kind VARCHAR(20) NOT NULL,
    stable_id TEXT,
    size_bytes BIGINT NOT NULL,
    kept_at TIMESTAMP WITH TIME ZONE NOT NULL,
    keep_until TIMESTAMP WITH TIME ZONE NOT NULL,
    end_asked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_trash PRIMARY KEY (id),
    CONSTRAINT uq_trash_workspace_id_name UNIQUE (workspace_id, name)
);
CREATE INDEX ix_trash_keep_until ON schemas.trash (keep_until);
"""


def upgrade() -> None:
    """Create the table; the schemas beside those of workspaces are made by their next deployments."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove it; what is kept stays in the schemas beside those of workspaces."""
    op.get_bind().exec_driver_sql("DROP TABLE schemas.trash")
