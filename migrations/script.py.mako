"""${message}

Revision: ${up_revision}
"""

from alembic import op
import sqlalchemy as sa

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand: must work with the code that is running."""
    ${upgrades if upgrades else ""}


def downgrade() -> None:
    """Undo."""
    ${downgrades if downgrades else ""}
