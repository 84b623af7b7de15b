"""Accounts that imports made and that became those of people who proved the address.

Revision: 0038
"""

from alembic import op

revision = "0038"
down_revision = "0036"
branch_labels = None
depends_on = None

_UP = (
    """
CREATE TABLE identity.account_merges (
    merged_id UUID NOT NULL,
    kept_id UUID NOT NULL,
    merged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    repeated_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_account_merges PRIMARY KEY (merged_id),
    CONSTRAINT fk_account_merges_kept_id_users FOREIGN KEY (kept_id) REFERENCES identity.users (id) ON DELETE CASCADE
)
""",
    "CREATE INDEX ix_account_merges_kept_id ON identity.account_merges (kept_id)",
    "CREATE INDEX ix_account_merges_unrepeated ON identity.account_merges (merged_at) WHERE repeated_at IS NULL",
)


def upgrade() -> None:
    """Add the table."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Forget which accounts were merged; they stay so."""
    op.get_bind().exec_driver_sql("DROP TABLE identity.account_merges")
