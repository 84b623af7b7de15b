"""Webhooks that events are sent to, the deliveries, and who wants no mail about them.

Revision: 0051
"""

from alembic import op

revision = "0051"
down_revision = "0049"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE notifications.webhooks (
    id UUID NOT NULL,
    workspace_id UUID,
    name VARCHAR(255) NOT NULL,
    url TEXT NOT NULL,
    event_types TEXT[] NOT NULL,
    secret BYTEA NOT NULL,
    previous_secret BYTEA,
    previous_until TIMESTAMP WITH TIME ZONE,
    enabled BOOLEAN DEFAULT true NOT NULL,
    disabled_reason TEXT,
    replay_since TIMESTAMP WITH TIME ZONE,
    replayed_through UUID,
    failing_since TIMESTAMP WITH TIME ZONE,
    failures INTEGER DEFAULT 0 NOT NULL,
    last_error TEXT,
    last_delivered_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_webhooks PRIMARY KEY (id)
);
CREATE INDEX ix_webhooks_workspace_id ON notifications.webhooks (workspace_id);
CREATE TABLE notifications.webhook_deliveries (
    id UUID NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
    webhook_id UUID NOT NULL,
    event_id UUID NOT NULL,
    event_type VARCHAR(100) NOT NULL,
    workspace_id UUID,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    data JSONB NOT NULL,
    is_test BOOLEAN DEFAULT false NOT NULL,
    state VARCHAR(10) NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    last_attempt_at TIMESTAMP WITH TIME ZONE,
    status INTEGER,
    error TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id),
    CONSTRAINT ck_webhook_deliveries_state CHECK (state IN ('waiting','delivered','dead')),
    CONSTRAINT fk_webhook_deliveries_webhook_id_webhooks FOREIGN KEY (webhook_id)
        REFERENCES notifications.webhooks (id) ON DELETE CASCADE
);
CREATE INDEX ix_webhook_deliveries_waiting ON notifications.webhook_deliveries (webhook_id, number)
    WHERE state = 'waiting';
CREATE INDEX ix_webhook_deliveries_webhook_id ON notifications.webhook_deliveries (webhook_id, number);
CREATE INDEX ix_webhook_deliveries_ended_at ON notifications.webhook_deliveries (ended_at)
    WHERE ended_at IS NOT NULL;
ALTER TABLE notifications.suppressions DROP CONSTRAINT ck_suppressions_scope, ADD CONSTRAINT ck_suppressions_scope
    CHECK (scope IN ('reminder','enrollment','review','import','schema','webhook','all'));
"""
DOWNGRADE = """
DELETE FROM notifications.suppressions WHERE scope = 'webhook';
ALTER TABLE notifications.suppressions DROP CONSTRAINT ck_suppressions_scope, ADD CONSTRAINT ck_suppressions_scope
    CHECK (scope IN ('reminder','enrollment','review','import','schema','all'));
DROP TABLE notifications.webhook_deliveries, notifications.webhooks;
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Forget webhooks and deliveries."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
