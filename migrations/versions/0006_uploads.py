"""Upload quotas, and roster uploads that know their size and checksum.

Revision: 0006
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE platform.upload_claims (
    id UUID NOT NULL,
    person_id UUID,
    subject VARCHAR(100) NOT NULL,
    size_bytes BIGINT NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    counts_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_upload_claims PRIMARY KEY (id)
);
CREATE INDEX ix_upload_claims_person_id_counts_until ON platform.upload_claims (person_id, counts_until);
CREATE INDEX ix_upload_claims_subject_counts_until ON platform.upload_claims (subject, counts_until);
CREATE INDEX ix_upload_claims_counts_until ON platform.upload_claims (counts_until);
CREATE TABLE academics.roster_uploads (
    id UUID NOT NULL,
    s3_key VARCHAR(500) NOT NULL,
    file_name VARCHAR(255) NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_roster_uploads PRIMARY KEY (id),
    CONSTRAINT uq_roster_uploads_s3_key UNIQUE (s3_key)
);
CREATE INDEX ix_roster_uploads_created_at ON academics.roster_uploads (created_at);
"""

DOWNGRADE = """
DROP TABLE academics.roster_uploads;
DROP TABLE platform.upload_claims;
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove them."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
