"""Publications of versions as Iceberg tables, and the tables of the SQL catalog.

Revision: 0052
"""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE datasets.jobs DROP CONSTRAINT ck_jobs_run_type, ADD CONSTRAINT ck_jobs_run_type
    CHECK (run_type IN ('import','export','sampling','exploration','profiling','import_plan','publication'));
CREATE TABLE datasets.publications (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    ref_name VARCHAR(100),
    follows BOOLEAN NOT NULL,
    commit_id CHAR(64),
    sheet VARCHAR(255) NOT NULL,
    table_name VARCHAR(128) NOT NULL,
    published_commit_id CHAR(64),
    snapshot_id BIGINT,
    row_count BIGINT,
    published_at TIMESTAMP WITH TIME ZONE,
    failure JSONB,
    failed_at TIMESTAMP WITH TIME ZONE,
    removing BOOLEAN DEFAULT false NOT NULL,
    job_id UUID,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_publications PRIMARY KEY (id),
    CONSTRAINT uq_publications_table_name UNIQUE (table_name),
    CONSTRAINT ck_publications_target CHECK (follows = (commit_id IS NULL)),
    CONSTRAINT fk_publications_dataset_id_datasets FOREIGN KEY (dataset_id)
        REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE INDEX ix_publications_dataset_id ON datasets.publications (dataset_id);
CREATE UNIQUE INDEX uq_publications_branch ON datasets.publications (dataset_id, ref_name, sheet)
    WHERE follows AND NOT removing;
CREATE UNIQUE INDEX uq_publications_commit ON datasets.publications (dataset_id, commit_id, sheet)
    WHERE NOT follows AND NOT removing;
CREATE TABLE datasets.iceberg_tables (
    catalog_name VARCHAR(255) NOT NULL,
    table_namespace VARCHAR(255) NOT NULL,
    table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000),
    previous_metadata_location VARCHAR(1000),
    iceberg_type VARCHAR(5),
    CONSTRAINT pk_iceberg_tables PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE datasets.iceberg_namespace_properties (
    catalog_name VARCHAR(255) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    property_key VARCHAR(255) NOT NULL,
    property_value VARCHAR(1000) NOT NULL,
    CONSTRAINT pk_iceberg_namespace_properties PRIMARY KEY (catalog_name, namespace, property_key)
);
"""
DOWNGRADE = """
DROP TABLE datasets.iceberg_namespace_properties, datasets.iceberg_tables, datasets.publications;
DELETE FROM datasets.jobs WHERE run_type = 'publication';
ALTER TABLE datasets.jobs DROP CONSTRAINT ck_jobs_run_type, ADD CONSTRAINT ck_jobs_run_type
    CHECK (run_type IN ('import','export','sampling','exploration','profiling','import_plan'));
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Forget publications; their files stay in the bucket."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
