"""The export that the deletion of a workspace waits for.

Revision: 0044
"""

from alembic import op

revision = "0044"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is deleted already gets its export from maintenance."""
    op.get_bind().exec_driver_sql(
        "ALTER TABLE workspaces.workspaces ADD COLUMN export_key VARCHAR(300), ADD COLUMN export_bytes BIGINT, "
        "ADD COLUMN exported_at TIMESTAMP WITH TIME ZONE"
    )


def downgrade() -> None:
    """Forget where exports are."""
    op.get_bind().exec_driver_sql(
        "ALTER TABLE workspaces.workspaces DROP COLUMN export_key, DROP COLUMN export_bytes, DROP COLUMN exported_at"
    )
