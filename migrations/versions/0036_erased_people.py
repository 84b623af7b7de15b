"""Accounts whose person is erased.

Revision: 0036
"""

from alembic import op

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.get_bind().exec_driver_sql("ALTER TABLE identity.users ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE")


def downgrade() -> None:
    """Drop it; accounts of erased people stay suspended."""
    op.get_bind().exec_driver_sql("ALTER TABLE identity.users DROP COLUMN erased_at")
