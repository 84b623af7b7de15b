"""Notes: the workspace beside the vault, paths in the order of their characters, revisions that were saved by themselves.

Nothing has written notes before this release.

Revision: 0040
"""

from alembic import op

revision = "0040"
down_revision = "0041"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE workspaces.notes ADD COLUMN workspace_id UUID;
UPDATE workspaces.notes n SET workspace_id = v.workspace_id FROM workspaces.vaults v WHERE v.id = n.vault_id;
ALTER TABLE workspaces.notes ALTER COLUMN workspace_id SET NOT NULL;
ALTER TABLE workspaces.notes ALTER COLUMN path_key TYPE TEXT COLLATE "C";
ALTER TABLE workspaces.notes SET (toast_tuple_target = 256);
CREATE INDEX ix_notes_workspace_id_updated_at ON workspaces.notes (workspace_id, updated_at, id) WHERE deleted_at IS NULL;
ALTER TABLE workspaces.note_revisions ADD COLUMN automatic BOOLEAN DEFAULT false NOT NULL;
"""

DOWN = """
ALTER TABLE workspaces.note_revisions DROP COLUMN automatic;
DROP INDEX workspaces.ix_notes_workspace_id_updated_at;
ALTER TABLE workspaces.notes RESET (toast_tuple_target);
ALTER TABLE workspaces.notes ALTER COLUMN path_key TYPE TEXT COLLATE "default";
ALTER TABLE workspaces.notes DROP COLUMN workspace_id;
"""


def upgrade() -> None:
    """Add them."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Remove them."""
    op.get_bind().exec_driver_sql(DOWN)
