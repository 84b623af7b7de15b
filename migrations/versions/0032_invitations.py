"""Invitations into the organisation, and links that claim an account.

Revision: 0032
"""

from alembic import op

revision = "0032"
down_revision = "0027"
branch_labels = None
depends_on = None

_UP = (
    """
CREATE TABLE identity.invitations (
    id UUID NOT NULL,
    email VARCHAR(255) NOT NULL,
    role VARCHAR(20) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    sendings INTEGER DEFAULT 1 NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    invited_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    accepted_by UUID,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_invitations PRIMARY KEY (id),
    CONSTRAINT uq_invitations_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_invitations_role CHECK (role IN ('admin','registrar','instructor','analyst','learner','viewer')),
    CONSTRAINT fk_invitations_invited_by_users FOREIGN KEY (invited_by) REFERENCES identity.users (id)
        ON DELETE SET NULL,
    CONSTRAINT fk_invitations_accepted_by_users FOREIGN KEY (accepted_by) REFERENCES identity.users (id)
        ON DELETE SET NULL
)
""",
    """
CREATE UNIQUE INDEX uq_invitations_email_open ON identity.invitations (lower(email))
    WHERE accepted_at IS NULL AND revoked_at IS NULL
""",
    "CREATE INDEX ix_invitations_invited_by ON identity.invitations (invited_by)",
    "CREATE INDEX ix_invitations_accepted_by ON identity.invitations (accepted_by)",
    """
ALTER TABLE identity.mailed_links DROP CONSTRAINT ck_mailed_links_purpose, ADD CONSTRAINT ck_mailed_links_purpose
    CHECK (purpose IN ('reset_password','confirm_email','stop_email_change','claim_account'))
""",
)
_DOWN = (
    "DELETE FROM identity.mailed_links WHERE purpose = 'claim_account'",
    """
ALTER TABLE identity.mailed_links DROP CONSTRAINT ck_mailed_links_purpose, ADD CONSTRAINT ck_mailed_links_purpose
    CHECK (purpose IN ('reset_password','confirm_email','stop_email_change'))
""",
    "DROP TABLE identity.invitations",
)


def upgrade() -> None:
    """Add them."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Forget the invitations and the links that claim."""
    for statement in _DOWN:
        op.get_bind().exec_driver_sql(statement)
