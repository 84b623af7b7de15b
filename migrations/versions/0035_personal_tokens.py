"""Personal access tokens.

Revision: 0035
"""

from alembic import op

revision = "0035"
down_revision = "0031"
branch_labels = None
depends_on = None

_UP = (
    """
CREATE TABLE identity.personal_tokens (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    name VARCHAR(100) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    hint VARCHAR(4) NOT NULL,
    scopes TEXT[] NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    warned_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_personal_tokens PRIMARY KEY (id),
    CONSTRAINT uq_personal_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_personal_tokens_user_id_users FOREIGN KEY (user_id) REFERENCES identity.users (id) ON DELETE CASCADE,
    CONSTRAINT ck_personal_tokens_ends CHECK (expires_at IS NOT NULL OR scopes = ARRAY['calendar'])
)
""",
    "CREATE INDEX ix_personal_tokens_user_id ON identity.personal_tokens (user_id)",
    "CREATE INDEX ix_personal_tokens_expires_at ON identity.personal_tokens (expires_at)",
)


def upgrade() -> None:
    """Make the table."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Drop it; every token stops working."""
    op.get_bind().exec_driver_sql("DROP TABLE identity.personal_tokens")
