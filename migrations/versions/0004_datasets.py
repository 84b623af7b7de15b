"""Tables of versioned datasets.

Revision: 0004
"""

revision = "0004"
down_revision = "0003"
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
