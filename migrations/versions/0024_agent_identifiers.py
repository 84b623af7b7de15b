"""What people are known by besides their account, and the index by which statements follow it.

Revision: 0024
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE lrs.agent_identifiers (
    id UUID NOT NULL,
    digest BYTEA NOT NULL,
    key TEXT NOT NULL,
    agent JSONB NOT NULL,
    user_id UUID NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    unlinked_at TIMESTAMP WITH TIME ZONE,
    matched_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_agent_identifiers PRIMARY KEY (id),
    CONSTRAINT uq_agent_identifiers_digest UNIQUE (digest)
);
CREATE INDEX ix_agent_identifiers_user_id ON lrs.agent_identifiers (user_id);
CREATE INDEX ix_agent_identifiers_changed_at ON lrs.agent_identifiers (changed_at);
CREATE INDEX ix_statements_flat_actor_key ON records.statements_flat USING hash (actor_key);
"""


def upgrade() -> None:
    """Create the table and the index."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Forget who is known by what; statements keep the person they have."""
    op.get_bind().exec_driver_sql("DROP INDEX records.ix_statements_flat_actor_key; DROP TABLE lrs.agent_identifiers")
