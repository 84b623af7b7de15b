"""Messages of all kinds: to addresses without a person, unsubscribed from by kind; runs with attempts and errors.

The release before sends reminders and nothing else, and knows nothing of the other kinds: what it claims of them while
both run is handed back by its ten minutes, or suppressed where it has no person.

Revision: 0029
"""

from alembic import op

revision = "0029"
down_revision = "0026"
branch_labels = None
depends_on = None

_UP = (
    "ALTER TABLE notifications.messages ALTER COLUMN user_id DROP NOT NULL, ADD COLUMN address VARCHAR(255)",
    """
ALTER TABLE notifications.suppressions DROP CONSTRAINT ck_suppressions_scope, ADD CONSTRAINT ck_suppressions_scope
    CHECK (scope IN ('reminder','enrollment','review','import','schema','all'))
""",
    """
ALTER TABLE notifications.runs ADD COLUMN name VARCHAR(60) DEFAULT 'send_daily_reminders' NOT NULL,
    ADD COLUMN attempt INTEGER DEFAULT 1 NOT NULL, ADD COLUMN error TEXT, DROP CONSTRAINT ck_runs_status,
    ADD CONSTRAINT ck_runs_status CHECK (status IN ('queued','running','succeeded','failed','retrying'))
""",
)
_DOWN = (
    "DELETE FROM notifications.messages WHERE user_id IS NULL",
    "ALTER TABLE notifications.messages ALTER COLUMN user_id SET NOT NULL, DROP COLUMN address",
    "DELETE FROM notifications.suppressions WHERE scope NOT IN ('reminder','all')",
    """
ALTER TABLE notifications.suppressions DROP CONSTRAINT ck_suppressions_scope, ADD CONSTRAINT ck_suppressions_scope
    CHECK (scope IN ('reminder','all'))
""",
    "DELETE FROM notifications.runs WHERE status NOT IN ('running','succeeded')",
    """
ALTER TABLE notifications.runs DROP COLUMN name, DROP COLUMN attempt, DROP COLUMN error,
    DROP CONSTRAINT ck_runs_status, ADD CONSTRAINT ck_runs_status CHECK (status IN ('running','succeeded'))
""",
)


def upgrade() -> None:
    """Widen what is allowed."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Narrow it again; mails to addresses without a person, and who unsubscribed from other kinds, are forgotten."""
    for statement in _DOWN:
        op.get_bind().exec_driver_sql(statement)
