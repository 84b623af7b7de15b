"""Providers that people sign in with, and whom a provider's person is with us.

Revision: 0034
"""

from alembic import op

revision = "0034"
down_revision = "0035"
branch_labels = None
depends_on = None

_UP = (
    """
CREATE TABLE identity.sign_in_providers (
    id UUID NOT NULL,
    name VARCHAR(100) NOT NULL,
    issuer VARCHAR(500) NOT NULL,
    client_id VARCHAR(255) NOT NULL,
    sealed_secret BYTEA,
    domains TEXT[] NOT NULL,
    creates_accounts BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sign_in_providers PRIMARY KEY (id),
    CONSTRAINT uq_sign_in_providers_issuer UNIQUE (issuer)
)
""",
    """
CREATE TABLE identity.linked_identities (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    issuer VARCHAR(500) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    label VARCHAR(255) NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_linked_identities PRIMARY KEY (id),
    CONSTRAINT uq_linked_identities_issuer_subject UNIQUE (issuer, subject),
    CONSTRAINT fk_linked_identities_user_id_users FOREIGN KEY (user_id) REFERENCES identity.users (id) ON DELETE CASCADE
)
""",
    "CREATE INDEX ix_linked_identities_user_id ON identity.linked_identities (user_id)",
)
_DOWN = ("DROP TABLE identity.linked_identities", "DROP TABLE identity.sign_in_providers")


def upgrade() -> None:
    """Add both tables."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Drop them; providers and links are lost."""
    for statement in _DOWN:
        op.get_bind().exec_driver_sql(statement)
