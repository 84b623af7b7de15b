"""How many enrolments a roster plan ends only because the file leaves them out.

Revision: 0007
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Plans that are there are taken for ones without: they can no longer be applied, because they saw other state."""
    op.get_bind().exec_driver_sql(
        "ALTER TABLE academics.roster_plans ADD COLUMN implied_drops INTEGER DEFAULT 0 NOT NULL"
    )


def downgrade() -> None:
    """Forget the number."""
    op.get_bind().exec_driver_sql("ALTER TABLE academics.roster_plans DROP COLUMN implied_drops")
