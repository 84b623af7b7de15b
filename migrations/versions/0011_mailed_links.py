"""One-time links in mails, confirmed and pending e-mail addresses, and what is told of a sign-in.

Revision: 0011
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE identity.users
    ADD COLUMN email_confirmed_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN new_email VARCHAR(255);
ALTER TABLE identity.refresh_tokens
    ADD COLUMN began_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN last_used_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN device VARCHAR(200);
CREATE TABLE identity.mailed_links (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    purpose VARCHAR(20) NOT NULL,
    email VARCHAR(255) NOT NULL,
    other_email VARCHAR(255),
    token_hash VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_mailed_links PRIMARY KEY (id),
    CONSTRAINT ck_mailed_links_purpose CHECK (purpose IN ('reset_password','confirm_email','stop_email_change')),
    CONSTRAINT uq_mailed_links_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_mailed_links_user_id_users FOREIGN KEY (user_id) REFERENCES identity.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_mailed_links_user_id ON identity.mailed_links (user_id);
CREATE INDEX ix_mailed_links_expires_at ON identity.mailed_links (expires_at);
"""

DOWN = """
DROP TABLE identity.mailed_links;
ALTER TABLE identity.refresh_tokens DROP COLUMN began_at, DROP COLUMN last_used_at, DROP COLUMN device;
ALTER TABLE identity.users DROP COLUMN email_confirmed_at, DROP COLUMN new_email;
"""


def upgrade() -> None:
    """No address counts as confirmed: nobody has proved one."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Forget the links; addresses that wait for a confirmation are dropped."""
    op.get_bind().exec_driver_sql(DOWN)
