"""Tables of catalogue, sections and enrolment.

Revision: 0003
"""

revision = "0003"
down_revision = "0002"
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
