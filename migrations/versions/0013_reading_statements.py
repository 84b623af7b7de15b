"""What statements are found by, and those that are accepted and not loaded yet.

Revision: 0013
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE lrs.statement_keys (
    key UUID NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    statement_id UUID NOT NULL,
    via UUID NOT NULL,
    CONSTRAINT pk_statement_keys PRIMARY KEY (key, stored_at, statement_id, via)
);
CREATE TABLE lrs.statement_references (
    statement_id UUID NOT NULL,
    target_id UUID NOT NULL,
    CONSTRAINT pk_statement_references PRIMARY KEY (statement_id)
);
CREATE INDEX ix_statement_references_target_id ON lrs.statement_references (target_id);
CREATE UNLOGGED TABLE lrs.pending_statements (
    statement_id UUID NOT NULL,
    request_id UUID NOT NULL,
    payload TEXT NOT NULL,
    voids UUID,
    accepted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_pending_statements PRIMARY KEY (statement_id)
);
CREATE INDEX ix_pending_statements_voids ON lrs.pending_statements (voids) WHERE voids IS NOT NULL;
ALTER TABLE records.statements_raw ADD COLUMN keyed BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX ix_statements_raw_listed ON records.statements_raw (stored_at, statement_id);
CREATE INDEX ix_statements_raw_unkeyed ON records.statements_raw (statement_id) WHERE NOT keyed;
ALTER TABLE records.statement_voids ADD COLUMN applies BOOLEAN NOT NULL DEFAULT false;
UPDATE records.statement_voids v SET applies = true
FROM records.statements_raw r
WHERE r.statement_id = v.target_id AND r.payload #>> '{verb,id}' <> 'http://adlnet.gov/expapi/verbs/voided';
"""


def upgrade() -> None:
    """Create the tables; what is stored already gets its keys from the job `statements`."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Forget what statements are found by; the statements themselves stay."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE lrs.statement_keys, lrs.statement_references, lrs.pending_statements; "
        "DROP INDEX records.ix_statements_raw_listed, records.ix_statements_raw_unkeyed; "
        "ALTER TABLE records.statements_raw DROP COLUMN keyed; "
        "ALTER TABLE records.statement_voids DROP COLUMN applies"
    )
