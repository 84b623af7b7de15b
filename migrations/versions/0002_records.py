"""Tables of the learning record store.

Revision: 0002
"""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = """
"""

DOWNGRADE = """
"""


def upgrade() -> None:
    """Create the tables of this context."""


def downgrade() -> None:
    """Remove them."""
