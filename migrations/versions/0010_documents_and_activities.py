"""State and profile documents of the record store, and what statements say of activities.

Revision: 0010
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE SCHEMA IF NOT EXISTS lrs;
CREATE TABLE lrs.documents (
    id BYTEA NOT NULL,
    collection BYTEA NOT NULL,
    resource VARCHAR(20) NOT NULL,
    activity_id TEXT,
    agent_key TEXT,
    registration UUID,
    name TEXT NOT NULL,
    content BYTEA NOT NULL,
    content_type TEXT NOT NULL,
    etag VARCHAR(40) NOT NULL,
    previous_etag VARCHAR(40),
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_documents PRIMARY KEY (id),
    CONSTRAINT ck_documents_resource CHECK (resource IN ('state','activity_profile','agent_profile'))
);
CREATE INDEX ix_documents_collection ON lrs.documents (collection, updated_at);
CREATE TABLE lrs.activities (
    id BYTEA NOT NULL,
    activity_id TEXT NOT NULL,
    definition JSONB NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_activities PRIMARY KEY (id)
);
"""


def upgrade() -> None:
    """Create the schema and its tables."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Delete the documents and the definitions."""
    op.get_bind().exec_driver_sql("DROP SCHEMA lrs CASCADE")
