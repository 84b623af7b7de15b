"""Budgets of tries, and a way to see at once that a sign-in was ended.

The old counters of failed sign-ins go with the rule they were for: they could keep a person out. No release has them.

Revision: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UPGRADE = """
SET LOCAL lock_timeout = '4s';
CREATE TABLE platform.throttles (
    key VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    in_flight INTEGER NOT NULL,
    window_ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_throttles PRIMARY KEY (key)
);
CREATE INDEX ix_throttles_window_ends_at ON platform.throttles (window_ends_at);
DROP TABLE identity.login_throttles;
CREATE INDEX ix_refresh_tokens_ended ON identity.refresh_tokens (family) WHERE revoked_at IS NOT NULL;
"""

DOWNGRADE = """
DROP INDEX identity.ix_refresh_tokens_ended;
CREATE TABLE identity.login_throttles (
    key VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    last_failure_at TIMESTAMP WITH TIME ZONE NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_login_throttles PRIMARY KEY (key)
);
CREATE INDEX ix_login_throttles_last_failure_at ON identity.login_throttles (last_failure_at);
DROP TABLE platform.throttles;
"""


def upgrade() -> None:
    """Create the budgets and the index."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Take them back."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
