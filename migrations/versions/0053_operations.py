"""Indexes by which operators search the audit log and events on their way.

Revision: 0053
"""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE INDEX ix_audit_log_actor_id ON platform.audit_log (actor_id, id);
CREATE INDEX ix_audit_log_request_id ON platform.audit_log (request_id);
CREATE INDEX ix_audit_log_at ON platform.audit_log (at);
CREATE INDEX ix_outbox_dead ON platform.outbox (dead_at) WHERE dead_at IS NOT NULL;
CREATE INDEX ix_outbox_occurred_at ON platform.outbox (occurred_at, id);
"""
DOWNGRADE = """
DROP INDEX platform.ix_outbox_occurred_at, platform.ix_outbox_dead;
DROP INDEX platform.ix_audit_log_at, platform.ix_audit_log_request_id, platform.ix_audit_log_actor_id;
"""


def upgrade() -> None:
    """Create the indexes."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Drop them."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
