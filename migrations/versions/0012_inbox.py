"""The inbox of every context: which events a consumer has dealt with.

Revision: 0012
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE platform.inbox (
    consumer VARCHAR(60) NOT NULL,
    event_id UUID NOT NULL,
    consumed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_inbox PRIMARY KEY (consumer, event_id)
);
CREATE INDEX ix_inbox_consumed_at ON platform.inbox (consumed_at);
INSERT INTO platform.inbox (consumer, event_id, consumed_at)
SELECT consumer, event_id, consumed_at FROM academics.consumed_events;
"""

DOWN = """
DROP TABLE platform.inbox;
"""


def upgrade() -> None:
    """Copy what academics had; its own table stays for the release before, and goes with the one after this."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Forget what was dealt with since; academics has what it knew."""
    op.get_bind().exec_driver_sql(DOWN)
