"""Tables of the platform itself and of identity.

Revision: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE SCHEMA IF NOT EXISTS platform;
CREATE TABLE platform.audit_log (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor_id UUID,
    workspace_id UUID,
    action VARCHAR(100) NOT NULL,
    entity VARCHAR(60) NOT NULL,
    entity_id VARCHAR(200) NOT NULL,
    before JSONB,
    after JSONB,
    request_id VARCHAR(100),
    CONSTRAINT pk_audit_log PRIMARY KEY (id)
);
CREATE INDEX ix_audit_log_entity_entity_id ON platform.audit_log (entity, entity_id);
CREATE TABLE platform.idempotency_keys (
    scope VARCHAR(100) NOT NULL,
    key VARCHAR(255) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    status INTEGER NOT NULL,
    headers JSONB NOT NULL,
    body BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (scope, key)
);
CREATE INDEX ix_idempotency_keys_created_at ON platform.idempotency_keys (created_at);
CREATE TABLE platform.outbox (
    id UUID NOT NULL,
    name VARCHAR(100) NOT NULL,
    key VARCHAR(200) NOT NULL,
    payload JSONB NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE NOT NULL,
    relayed_at TIMESTAMP WITH TIME ZONE,
    dead_at TIMESTAMP WITH TIME ZONE,
    last_error TEXT,
    CONSTRAINT pk_outbox PRIMARY KEY (id)
);
CREATE INDEX ix_outbox_waiting ON platform.outbox (next_attempt_at) WHERE relayed_at IS NULL AND dead_at IS NULL;
CREATE SCHEMA IF NOT EXISTS identity;
CREATE TABLE identity.login_throttles (
    key VARCHAR(64) NOT NULL,
    failures INTEGER NOT NULL,
    last_failure_at TIMESTAMP WITH TIME ZONE NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_login_throttles PRIMARY KEY (key)
);
CREATE INDEX ix_login_throttles_last_failure_at ON identity.login_throttles (last_failure_at);
CREATE TABLE identity.signing_keys (
    kid VARCHAR(64) NOT NULL,
    public_jwk JSONB NOT NULL,
    state VARCHAR(10) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    not_after TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_signing_keys PRIMARY KEY (kid),
    CONSTRAINT ck_signing_keys_state CHECK (state IN ('active','retiring','retired'))
);
CREATE UNIQUE INDEX uq_signing_keys_active ON identity.signing_keys (state) WHERE state = 'active';
CREATE TABLE identity.users (
    id UUID NOT NULL,
    username VARCHAR(255) NOT NULL,
    email VARCHAR(255) NOT NULL,
    avatar VARCHAR(64) NOT NULL,
    display_name VARCHAR(255) NOT NULL,
    password_hash TEXT,
    github_id BIGINT,
    soeid VARCHAR(20),
    role VARCHAR(20) NOT NULL,
    preferences JSONB DEFAULT '{}' NOT NULL,
    time_zone VARCHAR(64) DEFAULT 'UTC' NOT NULL,
    locale VARCHAR(35) DEFAULT 'en' NOT NULL,
    reminder_time TIME WITHOUT TIME ZONE DEFAULT '09:00' NOT NULL,
    quiet_from TIME WITHOUT TIME ZONE,
    quiet_to TIME WITHOUT TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    suspended_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_role CHECK (role IN ('admin','registrar','instructor','analyst','learner','viewer')),
    CONSTRAINT uq_users_avatar UNIQUE (avatar),
    CONSTRAINT uq_users_github_id UNIQUE (github_id),
    CONSTRAINT uq_users_soeid UNIQUE (soeid)
);
CREATE UNIQUE INDEX uq_users_email_ci ON identity.users (lower(email));
CREATE UNIQUE INDEX uq_users_username_ci ON identity.users (lower(username));
CREATE TABLE identity.xapi_credentials (
    key_id VARCHAR(40) NOT NULL,
    name VARCHAR(255) NOT NULL,
    secret_hash VARCHAR(64) NOT NULL,
    public_pem TEXT,
    workspace_id UUID,
    scopes TEXT[] NOT NULL,
    authority JSONB NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    published BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_xapi_credentials PRIMARY KEY (key_id)
);
CREATE TABLE identity.refresh_tokens (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    family UUID NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (id),
    CONSTRAINT fk_refresh_tokens_user_id_users FOREIGN KEY(user_id) REFERENCES identity.users (id) ON DELETE CASCADE,
    CONSTRAINT uq_refresh_tokens_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_refresh_tokens_expires_at ON identity.refresh_tokens (expires_at);
CREATE INDEX ix_refresh_tokens_family ON identity.refresh_tokens (family);
CREATE INDEX ix_refresh_tokens_user_id ON identity.refresh_tokens (user_id);

-- What other contexts may read of people; columns are only ever added.
CREATE VIEW identity.directory AS
SELECT id AS user_id, username, lower(email) AS email, avatar, display_name, role, time_zone, locale, suspended_at
FROM identity.users;
"""

DOWNGRADE = """
DROP SCHEMA identity CASCADE;
DROP TABLE platform.outbox, platform.idempotency_keys, platform.audit_log;
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove them."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
