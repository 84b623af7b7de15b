"""Plans, deployments and revisions of the schemas of workspaces.

Revision: 0014
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE SCHEMA schemas;
CREATE TABLE schemas.plans (
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    namespace VARCHAR(63) NOT NULL,
    plan_hash VARCHAR(64) NOT NULL,
    base_fingerprint VARCHAR(64) NOT NULL,
    target_fingerprint VARCHAR(64) NOT NULL,
    target JSONB NOT NULL,
    sql TEXT NOT NULL,
    down_sql TEXT NOT NULL,
    changes JSONB NOT NULL,
    down_changes JSONB NOT NULL,
    warnings JSONB NOT NULL,
    proof JSONB NOT NULL,
    engine_version INTEGER NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_plans PRIMARY KEY (id)
);
CREATE INDEX ix_plans_workspace_id_created_at ON schemas.plans (workspace_id, created_at);
CREATE TABLE schemas.deployments (
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    plan_id UUID NOT NULL,
    status VARCHAR(20) NOT NULL,
    cancel_requested BOOLEAN DEFAULT false NOT NULL,
    confirmations JSONB NOT NULL,
    attempt INTEGER DEFAULT 0 NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    error JSONB,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_deployments PRIMARY KEY (id),
    CONSTRAINT ck_deployments_status CHECK (status IN ('queued','running','succeeded','failed','cancelled')),
    CONSTRAINT fk_deployments_plan_id_plans FOREIGN KEY (plan_id) REFERENCES schemas.plans (id)
);
CREATE INDEX ix_deployments_workspace_id_created_at ON schemas.deployments (workspace_id, created_at);
CREATE UNIQUE INDEX uq_deployments_under_way ON schemas.deployments (workspace_id) WHERE status IN ('queued','running');
CREATE TABLE schemas.deployment_steps (
    deployment_id UUID NOT NULL,
    position INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    op VARCHAR(60) NOT NULL,
    object TEXT NOT NULL,
    sql TEXT NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_deployment_steps PRIMARY KEY (deployment_id, position),
    CONSTRAINT fk_deployment_steps_deployment_id_deployments FOREIGN KEY (deployment_id) REFERENCES schemas.deployments (id) ON DELETE CASCADE
);
CREATE TABLE schemas.revisions (
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    number INTEGER NOT NULL,
    revision VARCHAR(32) NOT NULL,
    down_revision VARCHAR(32),
    deployment_id UUID NOT NULL,
    plan_hash VARCHAR(64) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    target JSONB NOT NULL,
    sql TEXT NOT NULL,
    down_sql TEXT NOT NULL,
    file_s3_key TEXT NOT NULL,
    file_sha256 VARCHAR(64) NOT NULL,
    status VARCHAR(20) NOT NULL,
    applied_by UUID,
    applied_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_revisions PRIMARY KEY (id),
    CONSTRAINT uq_revisions_workspace_id_number UNIQUE (workspace_id, number),
    CONSTRAINT uq_revisions_workspace_id_revision UNIQUE (workspace_id, revision),
    CONSTRAINT uq_revisions_deployment_id UNIQUE (deployment_id),
    CONSTRAINT fk_revisions_deployment_id_deployments FOREIGN KEY (deployment_id) REFERENCES schemas.deployments (id)
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Remove them; what was deployed into the schemas of workspaces stays."""
    op.get_bind().exec_driver_sql("DROP SCHEMA schemas CASCADE")
