"""Tables of the learning record store.

Revision: 0002
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE SCHEMA IF NOT EXISTS records;
CREATE TABLE records.cohorts (
    id UUID NOT NULL,
    workspace_id UUID,
    name VARCHAR(255) NOT NULL,
    team VARCHAR(120) DEFAULT '' NOT NULL,
    group_name VARCHAR(120) DEFAULT '' NOT NULL,
    active BOOLEAN DEFAULT true NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_cohorts PRIMARY KEY (id)
);
CREATE UNIQUE INDEX uq_cohorts_workspace_id_name_ci ON records.cohorts (workspace_id, lower(name)) NULLS NOT DISTINCT;
CREATE TABLE records.intake (
    request_id UUID NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_intake PRIMARY KEY (request_id)
);
CREATE INDEX ix_intake_stored_at ON records.intake (stored_at);
CREATE TABLE records.quarantine (
    id UUID NOT NULL,
    body_sha256 VARCHAR(64) NOT NULL,
    s3_key VARCHAR(300) NOT NULL,
    reason VARCHAR(40) NOT NULL,
    error TEXT NOT NULL,
    pointer TEXT,
    statement_id UUID,
    request_id UUID,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    replayed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_quarantine PRIMARY KEY (id),
    CONSTRAINT uq_quarantine_body_sha256_reason UNIQUE (body_sha256, reason)
);
CREATE INDEX ix_quarantine_received_at ON records.quarantine (received_at);
CREATE TABLE records.statement_claims (
    statement_id UUID NOT NULL,
    content_sha256 BYTEA NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_statement_claims PRIMARY KEY (statement_id)
);
CREATE INDEX ix_statement_claims_claimed_at ON records.statement_claims (claimed_at);
CREATE TABLE records.statement_voids (
    target_id UUID NOT NULL,
    voided_by UUID NOT NULL,
    voided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_statement_voids PRIMARY KEY (target_id)
);
CREATE TABLE records.statements_flat (
    statement_id UUID NOT NULL,
    actor_key TEXT NOT NULL,
    actor_email VARCHAR(255),
    actor_account VARCHAR(64),
    actor_name TEXT,
    user_id UUID,
    verb_id TEXT NOT NULL,
    verb_display TEXT,
    object_id TEXT,
    object_name TEXT,
    object_type VARCHAR(20) NOT NULL,
    lesson_url VARCHAR(500),
    lesson_id UUID,
    score_scaled NUMERIC,
    score_raw NUMERIC,
    score_min NUMERIC,
    score_max NUMERIC,
    success BOOLEAN,
    completion BOOLEAN,
    response TEXT,
    duration_ms BIGINT,
    registration UUID,
    platform TEXT,
    language TEXT,
    cohort_key TEXT,
    completes BOOLEAN NOT NULL,
    voided BOOLEAN DEFAULT false NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    processed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_statements_flat PRIMARY KEY (statement_id)
);
CREATE INDEX ix_statements_flat_lesson ON records.statements_flat (lesson_id, user_id) WHERE completes AND NOT voided;
CREATE INDEX ix_statements_flat_stored_at ON records.statements_flat (stored_at, statement_id);
CREATE INDEX ix_statements_flat_unmatched_account ON records.statements_flat (actor_account) WHERE user_id IS NULL;
CREATE INDEX ix_statements_flat_unmatched_email ON records.statements_flat (actor_email) WHERE user_id IS NULL;
CREATE INDEX ix_statements_flat_unmatched_lesson ON records.statements_flat (lesson_url) WHERE lesson_id IS NULL;
CREATE TABLE records.statements_raw (
    statement_id UUID NOT NULL,
    payload JSONB NOT NULL,
    payload_sha256 BYTEA NOT NULL,
    source VARCHAR(4) NOT NULL,
    authority VARCHAR(100) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state VARCHAR(8) NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    error TEXT,
    CONSTRAINT pk_statements_raw PRIMARY KEY (statement_id),
    CONSTRAINT ck_statements_raw_source CHECK (source IN ('xapi','csv')),
    CONSTRAINT ck_statements_raw_state CHECK (state IN ('pending','done','failed','dead'))
);
CREATE INDEX ix_statements_raw_dead ON records.statements_raw (stored_at) WHERE state = 'dead';
CREATE INDEX ix_statements_raw_stored_at ON records.statements_raw (stored_at, statement_id) WHERE state = 'done';
CREATE INDEX ix_statements_raw_unflattened ON records.statements_raw (statement_id) WHERE state IN ('pending','failed');
CREATE TABLE records.task_status (
    id UUID NOT NULL,
    name VARCHAR(60) NOT NULL,
    run_key VARCHAR(100) NOT NULL,
    status VARCHAR(10) NOT NULL,
    attempt INTEGER DEFAULT 1 NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    counts JSONB DEFAULT '{}' NOT NULL,
    error TEXT,
    CONSTRAINT pk_task_status PRIMARY KEY (id),
    CONSTRAINT uq_task_status_name_run_key UNIQUE (name, run_key),
    CONSTRAINT ck_task_status_status CHECK (status IN ('queued','running','succeeded','failed','retrying'))
);
CREATE TABLE records.cohort_members (
    cohort_id UUID NOT NULL,
    user_id UUID NOT NULL,
    joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_cohort_members PRIMARY KEY (cohort_id, user_id),
    CONSTRAINT fk_cohort_members_cohort_id_cohorts FOREIGN KEY(cohort_id) REFERENCES records.cohorts (id) ON DELETE CASCADE
);
CREATE INDEX ix_cohort_members_user_id ON records.cohort_members (user_id);
CREATE TABLE records.lessons (
    id UUID NOT NULL,
    section_id UUID,
    cohort_id UUID,
    lesson_url VARCHAR(500) NOT NULL,
    lesson_number INTEGER,
    title VARCHAR(255) NOT NULL,
    lesson_date DATE,
    required BOOLEAN DEFAULT true NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_lessons PRIMARY KEY (id),
    CONSTRAINT fk_lessons_cohort_id_cohorts FOREIGN KEY(cohort_id) REFERENCES records.cohorts (id) ON DELETE RESTRICT,
    CONSTRAINT uq_lessons_lesson_url UNIQUE (lesson_url)
);
CREATE INDEX ix_lessons_cohort_id ON records.lessons (cohort_id);
CREATE INDEX ix_lessons_section_id ON records.lessons (section_id);
"""

DOWNGRADE = """
DROP SCHEMA records CASCADE;
"""


def upgrade() -> None:
    """Create the tables of this context."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove them."""
    op.get_bind().exec_driver_sql(DOWNGRADE)
