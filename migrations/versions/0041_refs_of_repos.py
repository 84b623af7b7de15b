"""The branches and tags of repos' remotes, and the webhooks that tell of them.

Revision: 0041
"""

from alembic import op

revision = "0041"
down_revision = "0042"
branch_labels = None
depends_on = None

_UP = (
    """
ALTER TABLE workspaces.repos
    ADD COLUMN default_branch VARCHAR(500),
    ADD COLUMN refs_truncated BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN webhook_secret BYTEA,
    ADD COLUMN webhook_secret_at TIMESTAMP WITH TIME ZONE
""",
    """
CREATE TABLE workspaces.repo_refs (
    repo_id UUID NOT NULL,
    name VARCHAR(500) COLLATE "C" NOT NULL,
    hash VARCHAR(64) NOT NULL,
    commit_hash VARCHAR(64),
    moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_repo_refs PRIMARY KEY (repo_id, name),
    CONSTRAINT fk_repo_refs_repo_id_repos FOREIGN KEY (repo_id) REFERENCES workspaces.repos (id) ON DELETE CASCADE
)
""",
    """
CREATE TABLE workspaces.repo_deliveries (
    repo_id UUID NOT NULL,
    delivery_id VARCHAR(200) NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_repo_deliveries PRIMARY KEY (repo_id, delivery_id),
    CONSTRAINT fk_repo_deliveries_repo_id_repos FOREIGN KEY (repo_id) REFERENCES workspaces.repos (id) ON DELETE CASCADE
)
""",
    "CREATE INDEX ix_repo_deliveries_received_at ON workspaces.repo_deliveries (received_at)",
)


def upgrade() -> None:
    """Add the tables and columns."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Forget what was listed and delivered, and the secrets."""
    connection = op.get_bind()
    connection.exec_driver_sql("DROP TABLE workspaces.repo_refs, workspaces.repo_deliveries")
    connection.exec_driver_sql(
        "ALTER TABLE workspaces.repos DROP COLUMN default_branch, DROP COLUMN refs_truncated, "
        "DROP COLUMN webhook_secret, DROP COLUMN webhook_secret_at"
    )
