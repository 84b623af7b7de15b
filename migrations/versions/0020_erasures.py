"""Whom the loader takes out of what it loads.

Revision: 0020
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE lrs.erased_agents (
    digest BYTEA NOT NULL,
    responses BOOLEAN NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_erased_agents PRIMARY KEY (digest)
);
CREATE TABLE lrs.erasure_salt (
    id INTEGER NOT NULL,
    salt BYTEA NOT NULL,
    CONSTRAINT pk_erasure_salt PRIMARY KEY (id),
    CONSTRAINT ck_erasure_salt_one CHECK (id = 1)
);
INSERT INTO lrs.erasure_salt (id, salt) VALUES (1, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Forget who was erased: statements that come later have them again."""
    op.get_bind().exec_driver_sql("DROP TABLE lrs.erased_agents, lrs.erasure_salt")
