"""Subscriptions: webhooks and other record stores that statements are sent to, and the deliveries.

Revision: 0023
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE lrs.subscriptions (
    id UUID NOT NULL,
    kind VARCHAR(10) NOT NULL,
    name VARCHAR(255) NOT NULL,
    url TEXT NOT NULL,
    filter JSONB NOT NULL,
    username VARCHAR(255),
    secret BYTEA NOT NULL,
    xapi_version VARCHAR(10) NOT NULL,
    enabled BOOLEAN DEFAULT true NOT NULL,
    disabled_reason TEXT,
    position_at TIMESTAMP WITH TIME ZONE NOT NULL,
    position_id UUID NOT NULL,
    failing_since TIMESTAMP WITH TIME ZONE,
    failures INTEGER DEFAULT 0 NOT NULL,
    last_error TEXT,
    last_delivered_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_subscriptions PRIMARY KEY (id),
    CONSTRAINT ck_subscriptions_kind CHECK (kind IN ('webhook','lrs'))
);
CREATE TABLE lrs.deliveries (
    id UUID NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
    subscription_id UUID NOT NULL,
    statement_ids UUID[] NOT NULL,
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
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT ck_deliveries_state CHECK (state IN ('waiting','delivered','dead')),
    CONSTRAINT fk_deliveries_subscription_id_subscriptions FOREIGN KEY (subscription_id)
        REFERENCES lrs.subscriptions (id) ON DELETE CASCADE
);
CREATE INDEX ix_deliveries_waiting ON lrs.deliveries (subscription_id, number) WHERE state = 'waiting';
CREATE INDEX ix_deliveries_subscription_id ON lrs.deliveries (subscription_id, number);
CREATE INDEX ix_deliveries_ended_at ON lrs.deliveries (ended_at) WHERE ended_at IS NOT NULL;
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Forget subscriptions and deliveries."""
    op.get_bind().exec_driver_sql("DROP TABLE lrs.deliveries, lrs.subscriptions")
