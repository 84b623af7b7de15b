"""Second factors with recovery codes, and sign-ins that await a code.

Revision: 0033
"""

from alembic import op

revision = "0033"
down_revision = "0038"
branch_labels = None
depends_on = None

_UP = (
    """
CREATE TABLE identity.second_factors (
    user_id UUID NOT NULL,
    secret BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    last_step BIGINT,
    failures INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_second_factors PRIMARY KEY (user_id),
    CONSTRAINT fk_second_factors_user_id_users FOREIGN KEY(user_id) REFERENCES identity.users (id) ON DELETE CASCADE
)
""",
    """
CREATE TABLE identity.recovery_codes (
    user_id UUID NOT NULL,
    code_hash VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_recovery_codes PRIMARY KEY (user_id, code_hash),
    CONSTRAINT fk_recovery_codes_user_id_users FOREIGN KEY(user_id) REFERENCES identity.users (id) ON DELETE CASCADE
)
""",
    """
CREATE TABLE identity.sign_in_challenges (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    challenge_hash VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    tries INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_sign_in_challenges PRIMARY KEY (id),
    CONSTRAINT fk_sign_in_challenges_user_id_users FOREIGN KEY(user_id) REFERENCES identity.users (id)
        ON DELETE CASCADE,
    CONSTRAINT uq_sign_in_challenges_challenge_hash UNIQUE (challenge_hash)
)
""",
    "CREATE INDEX ix_sign_in_challenges_user_id ON identity.sign_in_challenges (user_id)",
    "CREATE INDEX ix_sign_in_challenges_expires_at ON identity.sign_in_challenges (expires_at)",
)


def upgrade() -> None:
    """Create them."""
    for statement in _UP:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Drop them; sign-ins need passwords only from then on."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE identity.sign_in_challenges, identity.recovery_codes, identity.second_factors"
    )
