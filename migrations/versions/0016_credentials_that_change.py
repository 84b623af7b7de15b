"""What can be changed of xAPI credentials, and why they were last refused; budgets of tries are not logged.

Revision: 0016
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Credentials of before go on as they were: a sender that repeats itself must not begin to store everything twice.
UP = """
ALTER TABLE identity.xapi_credentials
    ADD COLUMN revision INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN rate_limit INTEGER CONSTRAINT ck_xapi_credentials_rate_limit CHECK (rate_limit > 0),
    ADD COLUMN deduplicate BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN last_refused_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN last_refused_reason VARCHAR(500);
ALTER TABLE identity.xapi_credentials ALTER COLUMN deduplicate SET DEFAULT false;
ALTER TABLE platform.throttles SET UNLOGGED;
"""

DOWN = """
ALTER TABLE platform.throttles SET LOGGED;
ALTER TABLE identity.xapi_credentials DROP COLUMN revision, DROP COLUMN rate_limit, DROP COLUMN deduplicate,
    DROP COLUMN last_refused_at, DROP COLUMN last_refused_reason;
"""


def upgrade() -> None:
    """Add the columns; a count of tries that a crash forgets begins anew, and taking one waits for no disk."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Forget limits and refusals."""
    op.get_bind().exec_driver_sql(DOWN)
