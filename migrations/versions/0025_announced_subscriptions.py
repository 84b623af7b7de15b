"""Subscriptions that are announced once for all loaders, and whose signing secret is replaced without a gap.

Revision: 0025
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.get_bind().exec_driver_sql(
        "ALTER TABLE lrs.subscriptions ADD COLUMN announced_for TIMESTAMP WITH TIME ZONE, "
        "ADD COLUMN previous_secret BYTEA, ADD COLUMN previous_until TIMESTAMP WITH TIME ZONE"
    )


def downgrade() -> None:
    """Drop them; receivers that know the secret before the last one refuse signatures from then on."""
    op.get_bind().exec_driver_sql(
        "ALTER TABLE lrs.subscriptions DROP COLUMN announced_for, DROP COLUMN previous_secret, "
        "DROP COLUMN previous_until"
    )
