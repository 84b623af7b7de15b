"""Tables of versioned datasets.

Revision: 0004
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE SCHEMA IF NOT EXISTS datasets;
CREATE TABLE datasets.datasets (
    id UUID NOT NULL,
    workspace_id UUID,
    name VARCHAR(255) NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    default_branch VARCHAR(100) DEFAULT 'main' NOT NULL,
    review_count INTEGER DEFAULT 0 NOT NULL,
    upkeep_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_datasets PRIMARY KEY (id)
);
CREATE INDEX ix_datasets_deleted_at ON datasets.datasets (deleted_at);
CREATE INDEX ix_datasets_name_id ON datasets.datasets (name, id);
CREATE INDEX ix_datasets_workspace_id ON datasets.datasets (workspace_id);
CREATE UNIQUE INDEX uq_datasets_name_created_by ON datasets.datasets (created_by, name) WHERE deleted_at IS NULL;
CREATE TABLE datasets.commits (
    dataset_id UUID NOT NULL,
    commit_id CHAR(64) NOT NULL,
    content_hash CHAR(64) NOT NULL,
    parent_commit_id CHAR(64),
    merge_parent_id CHAR(64),
    generation INTEGER NOT NULL,
    message TEXT NOT NULL,
    author VARCHAR(255) NOT NULL,
    author_id UUID,
    authored_at VARCHAR(40) NOT NULL,
    committed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_commits PRIMARY KEY (dataset_id, commit_id),
    CONSTRAINT ck_commits_parents CHECK (merge_parent_id IS NULL OR parent_commit_id IS NOT NULL),
    CONSTRAINT fk_commits_parent FOREIGN KEY(dataset_id, parent_commit_id) REFERENCES datasets.commits (dataset_id, commit_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_commits_merge_parent FOREIGN KEY(dataset_id, merge_parent_id) REFERENCES datasets.commits (dataset_id, commit_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_commits_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE INDEX ix_commits_merge_parent ON datasets.commits (dataset_id, merge_parent_id);
CREATE INDEX ix_commits_parent ON datasets.commits (dataset_id, parent_commit_id);
CREATE TABLE datasets.dataset_permissions (
    dataset_id UUID NOT NULL,
    subject_kind VARCHAR(10) NOT NULL,
    subject_id UUID NOT NULL,
    level VARCHAR(5) NOT NULL,
    granted_by UUID,
    granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_dataset_permissions PRIMARY KEY (dataset_id, subject_kind, subject_id),
    CONSTRAINT ck_dataset_permissions_subject_kind CHECK (subject_kind IN ('user','workspace')),
    CONSTRAINT ck_dataset_permissions_level CHECK (level IN ('read','write','admin')),
    CONSTRAINT fk_dataset_permissions_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE INDEX ix_dataset_permissions_subject_id ON datasets.dataset_permissions (subject_id);
CREATE TABLE datasets.dataset_tags (
    dataset_id UUID NOT NULL,
    tag VARCHAR(64) NOT NULL,
    CONSTRAINT pk_dataset_tags PRIMARY KEY (dataset_id, tag),
    CONSTRAINT fk_dataset_tags_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE INDEX ix_dataset_tags_tag ON datasets.dataset_tags (tag);
CREATE TABLE datasets.expectations (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    name VARCHAR(255) NOT NULL,
    rule VARCHAR(20) NOT NULL,
    sheet VARCHAR(255),
    columns TEXT[] NOT NULL,
    parameters JSONB NOT NULL,
    severity VARCHAR(10) NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_expectations PRIMARY KEY (id),
    CONSTRAINT uq_expectations_dataset_id_name UNIQUE (dataset_id, name),
    CONSTRAINT fk_expectations_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE TABLE datasets.jobs (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    run_type VARCHAR(20) NOT NULL,
    status VARCHAR(10) NOT NULL,
    ref_name VARCHAR(100),
    source_commit_id CHAR(64),
    upload_id UUID,
    user_id UUID,
    run_parameters JSONB NOT NULL,
    progress JSONB DEFAULT '{}' NOT NULL,
    output_summary JSONB,
    failure JSONB,
    error_message TEXT,
    attempt INTEGER DEFAULT 0 NOT NULL,
    worker UUID,
    lease_until TIMESTAMP WITH TIME ZONE,
    cancel_requested BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE,
    started_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_jobs PRIMARY KEY (id),
    CONSTRAINT ck_jobs_run_type CHECK (run_type IN ('import','export','sampling','exploration','profiling')),
    CONSTRAINT ck_jobs_status CHECK (status IN ('pending','running','completed','failed','cancelled')),
    CONSTRAINT fk_jobs_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE INDEX ix_jobs_dataset_id_id ON datasets.jobs (dataset_id, id);
CREATE INDEX ix_jobs_open ON datasets.jobs (status, queued_at) WHERE status IN ('pending','running');
CREATE TABLE datasets.manifests (
    dataset_id UUID NOT NULL,
    manifest_id CHAR(64) NOT NULL,
    chain CHAR(64)[] NOT NULL,
    data BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_manifests PRIMARY KEY (dataset_id, manifest_id),
    CONSTRAINT fk_manifests_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE TABLE datasets.review_requests (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    number INTEGER NOT NULL,
    title VARCHAR(255) NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    source_ref VARCHAR(100) NOT NULL,
    target_ref VARCHAR(100) NOT NULL,
    state VARCHAR(10) NOT NULL,
    author_id UUID,
    merged_commit_id CHAR(64),
    ended_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_review_requests PRIMARY KEY (id),
    CONSTRAINT ck_review_requests_state CHECK (state IN ('open','merged','closed')),
    CONSTRAINT uq_review_requests_dataset_id_number UNIQUE (dataset_id, number),
    CONSTRAINT fk_review_requests_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE TABLE datasets.table_statistics (
    dataset_id UUID NOT NULL,
    leaves_sha256 CHAR(64) NOT NULL,
    signature CHAR(64) NOT NULL,
    statistics JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_table_statistics PRIMARY KEY (dataset_id, leaves_sha256, signature),
    CONSTRAINT fk_table_statistics_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE TABLE datasets.uploads (
    id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    ref_name VARCHAR(100) NOT NULL,
    base_commit_id CHAR(64) NOT NULL,
    s3_key VARCHAR(500) NOT NULL,
    s3_upload_id TEXT NOT NULL,
    file_name VARCHAR(255) NOT NULL,
    content_type VARCHAR(255) NOT NULL,
    size_bytes BIGINT NOT NULL,
    part_size BIGINT NOT NULL,
    options JSONB NOT NULL,
    state VARCHAR(10) NOT NULL,
    job_id UUID,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_uploads PRIMARY KEY (id),
    CONSTRAINT ck_uploads_state CHECK (state IN ('open','completing','completed','aborted')),
    CONSTRAINT fk_uploads_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE,
    CONSTRAINT uq_uploads_s3_key UNIQUE (s3_key)
);
CREATE INDEX ix_uploads_dataset_id_id ON datasets.uploads (dataset_id, id);
CREATE INDEX ix_uploads_unfinished ON datasets.uploads (expires_at) WHERE state IN ('open','completing');
CREATE TABLE datasets.commit_tables (
    dataset_id UUID NOT NULL,
    commit_id CHAR(64) NOT NULL,
    sheet VARCHAR(255) NOT NULL,
    position INTEGER NOT NULL,
    manifest_id CHAR(64) NOT NULL,
    leaves_sha256 CHAR(64) NOT NULL,
    definition JSONB NOT NULL,
    row_count BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    changes JSONB,
    CONSTRAINT pk_commit_tables PRIMARY KEY (dataset_id, commit_id, sheet),
    CONSTRAINT fk_commit_tables_commit FOREIGN KEY(dataset_id, commit_id) REFERENCES datasets.commits (dataset_id, commit_id) ON DELETE CASCADE,
    CONSTRAINT fk_commit_tables_manifest FOREIGN KEY(dataset_id, manifest_id) REFERENCES datasets.manifests (dataset_id, manifest_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_commit_tables_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE INDEX ix_commit_tables_manifest ON datasets.commit_tables (dataset_id, manifest_id);
CREATE TABLE datasets.refs (
    dataset_id UUID NOT NULL,
    name VARCHAR(100) NOT NULL,
    kind VARCHAR(6) NOT NULL,
    commit_id CHAR(64) NOT NULL,
    protected BOOLEAN DEFAULT false NOT NULL,
    required_approvals SMALLINT DEFAULT 0 NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_refs PRIMARY KEY (dataset_id, name),
    CONSTRAINT ck_refs_kind CHECK (kind IN ('branch','tag')),
    CONSTRAINT ck_refs_required_approvals CHECK (required_approvals BETWEEN 0 AND 20),
    CONSTRAINT fk_refs_commit FOREIGN KEY(dataset_id, commit_id) REFERENCES datasets.commits (dataset_id, commit_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_refs_dataset_id_datasets FOREIGN KEY(dataset_id) REFERENCES datasets.datasets (id) ON DELETE CASCADE
);
CREATE TABLE datasets.review_checks (
    review_id UUID NOT NULL,
    head_commit_id CHAR(64) NOT NULL,
    target_commit_id CHAR(64) NOT NULL,
    results JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_review_checks PRIMARY KEY (review_id, head_commit_id, target_commit_id),
    CONSTRAINT fk_review_checks_review_id_review_requests FOREIGN KEY(review_id) REFERENCES datasets.review_requests (id) ON DELETE CASCADE
);
CREATE TABLE datasets.review_comments (
    id UUID NOT NULL,
    review_id UUID NOT NULL,
    author_id UUID,
    body TEXT NOT NULL,
    sheet VARCHAR(255),
    row_key JSONB,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_review_comments PRIMARY KEY (id),
    CONSTRAINT fk_review_comments_review_id_review_requests FOREIGN KEY(review_id) REFERENCES datasets.review_requests (id) ON DELETE CASCADE
);
CREATE INDEX ix_review_comments_review_id ON datasets.review_comments (review_id);
CREATE TABLE datasets.review_opinions (
    review_id UUID NOT NULL,
    user_id UUID NOT NULL,
    verdict VARCHAR(20) NOT NULL,
    head_commit_id CHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_review_opinions PRIMARY KEY (review_id, user_id),
    CONSTRAINT ck_review_opinions_verdict CHECK (verdict IN ('approved','changes_requested')),
    CONSTRAINT fk_review_opinions_review_id_review_requests FOREIGN KEY(review_id) REFERENCES datasets.review_requests (id) ON DELETE CASCADE
);
"""

DOWNGRADE = """
DROP SCHEMA datasets CASCADE;
"""


def upgrade() -> None:
    """Create the tables of this context."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove them."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
