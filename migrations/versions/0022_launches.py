"""Launches of course players: what lessons are launched with, their sessions, and what is said of them.

Revision: 0022
"""

from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE records.lessons
    ADD COLUMN content_url TEXT,
    ADD COLUMN publisher_id TEXT,
    ADD COLUMN move_on VARCHAR(20) DEFAULT 'CompletedOrPassed' NOT NULL,
    ADD COLUMN mastery_score NUMERIC(5, 4),
    ADD COLUMN launch_parameters TEXT;
CREATE TABLE records.launches (
    id UUID NOT NULL,
    lesson_id UUID NOT NULL,
    user_id UUID NOT NULL,
    registration UUID NOT NULL,
    launch_mode VARCHAR(10) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    fetched_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_launches PRIMARY KEY (id),
    CONSTRAINT fk_launches_lesson_id_lessons FOREIGN KEY(lesson_id) REFERENCES records.lessons (id) ON DELETE CASCADE,
    CONSTRAINT uq_launches_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_launches_lesson_id ON records.launches (lesson_id, id);
CREATE INDEX ix_launches_user_id ON records.launches (user_id, id);
CREATE TABLE lrs.sessions (
    session_id UUID NOT NULL,
    registration UUID NOT NULL,
    activity_id TEXT NOT NULL,
    actor JSONB NOT NULL,
    launch_mode VARCHAR(10) NOT NULL,
    move_on VARCHAR(20) NOT NULL,
    mastery_score NUMERIC(5, 4),
    publisher_id TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    initialized_id UUID,
    completed_id UUID,
    passed_id UUID,
    failed_id UUID,
    terminated_id UUID,
    terminated_at TIMESTAMP WITH TIME ZONE,
    last_statement_at TIMESTAMP WITH TIME ZONE,
    satisfied_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    abandoned BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (session_id)
);
CREATE INDEX ix_sessions_registration ON lrs.sessions (registration);
CREATE INDEX ix_sessions_open ON lrs.sessions (expires_at) WHERE ended_at IS NULL;
CREATE TABLE lrs.session_statements (
    statement_id UUID NOT NULL,
    session_id UUID NOT NULL,
    statement JSONB NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_session_statements PRIMARY KEY (statement_id),
    CONSTRAINT fk_session_statements_session_id_sessions FOREIGN KEY(session_id) REFERENCES lrs.sessions (session_id) ON DELETE CASCADE
);
CREATE INDEX ix_session_statements_unsent ON lrs.session_statements (decided_at) WHERE sent_at IS NULL;
"""


def upgrade() -> None:
    """Create the tables; lessons without content are launched as before: by somebody else."""
    op.get_bind().exec_driver_sql(UPGRADE)


def downgrade() -> None:
    """Forget launches and sessions; the statements of their players stay."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE lrs.session_statements, lrs.sessions, records.launches; "
        "ALTER TABLE records.lessons DROP COLUMN content_url, DROP COLUMN publisher_id, DROP COLUMN move_on, "
        "DROP COLUMN mastery_score, DROP COLUMN launch_parameters"
    )
