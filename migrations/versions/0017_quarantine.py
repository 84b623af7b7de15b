"""Quarantine to be looked at and replayed: who sent what, and every violation.

Revision: 0017
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE records.quarantine ALTER COLUMN s3_key DROP NOT NULL;
ALTER TABLE records.quarantine
    ADD COLUMN credential VARCHAR(100),
    ADD COLUMN violations JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN content_type VARCHAR(200) DEFAULT 'application/json' NOT NULL,
    ADD COLUMN xapi_version VARCHAR(10),
    ADD COLUMN body_bytes INTEGER,
    ADD COLUMN repeats INTEGER DEFAULT 1 NOT NULL,
    ADD COLUMN replay_sha256 VARCHAR(64),
    ADD COLUMN replay_ids UUID[] DEFAULT '{}' NOT NULL,
    ADD COLUMN replay_began_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN discarded_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX ix_quarantine_credential_received_at ON records.quarantine (credential, received_at);
CREATE TABLE lrs.kept_refusals (
    credential VARCHAR(100) NOT NULL,
    kept_on DATE NOT NULL,
    kept INTEGER NOT NULL,
    CONSTRAINT pk_kept_refusals PRIMARY KEY (credential)
);
"""


def upgrade() -> None:
    """Add what the list and the replay of quarantine need."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove it; entries whose body is gone cannot stay, because the column is required again."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE lrs.kept_refusals; "
        "DELETE FROM records.quarantine WHERE s3_key IS NULL; "
        "DROP INDEX records.ix_quarantine_credential_received_at; "
        "ALTER TABLE records.quarantine DROP COLUMN credential, DROP COLUMN violations, DROP COLUMN content_type, "
        "DROP COLUMN xapi_version, DROP COLUMN body_bytes, DROP COLUMN repeats, DROP COLUMN replay_sha256, "
        "DROP COLUMN replay_ids, DROP COLUMN replay_began_at, DROP COLUMN discarded_at, "
        "ALTER COLUMN s3_key SET NOT NULL"
    )
