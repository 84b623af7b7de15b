"""Tutorials: transcripts with their segments, tutorials with their steps and links.

Revision: 0039
"""

from alembic import op

revision = "0039"
down_revision = "0033"
branch_labels = None
depends_on = None

UP = """
CREATE SCHEMA tutorials;
CREATE TABLE tutorials.transcripts (
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    lesson_id UUID,
    title VARCHAR(255) NOT NULL,
    format VARCHAR(10) NOT NULL,
    recording_url VARCHAR(2048),
    recorded_at TIMESTAMP WITH TIME ZONE,
    duration_ms BIGINT NOT NULL,
    language VARCHAR(35),
    sha256 VARCHAR(64) NOT NULL,
    object_key VARCHAR(200) NOT NULL,
    byte_count INTEGER NOT NULL,
    segment_count INTEGER NOT NULL,
    state VARCHAR(10) NOT NULL,
    failure JSONB,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_transcripts PRIMARY KEY (id),
    CONSTRAINT ck_transcripts_format CHECK (format IN ('phrases','vtt','srt','zoom','teams')),
    CONSTRAINT ck_transcripts_state CHECK (state IN ('processing','ready','failed')),
    CONSTRAINT uq_transcripts_workspace_id_sha256 UNIQUE (workspace_id, sha256)
);
CREATE INDEX ix_transcripts_owner_id ON tutorials.transcripts (owner_id);
CREATE INDEX ix_transcripts_workspace_id_created_at_id ON tutorials.transcripts (workspace_id, created_at, id);
CREATE TABLE tutorials.transcript_segments (
    transcript_id UUID NOT NULL,
    idx INTEGER NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    speaker VARCHAR(200),
    text TEXT NOT NULL,
    confidence FLOAT,
    CONSTRAINT pk_transcript_segments PRIMARY KEY (transcript_id, idx),
    CONSTRAINT ck_transcript_segments_times CHECK (start_ms >= 0 AND start_ms <= end_ms),
    CONSTRAINT fk_transcript_segments_transcript_id_transcripts FOREIGN KEY(transcript_id) REFERENCES tutorials.transcripts (id) ON DELETE CASCADE
);
CREATE TABLE tutorials.tutorials (
    id UUID NOT NULL,
    transcript_id UUID,
    workspace_id UUID NOT NULL,
    user_id UUID NOT NULL,
    title VARCHAR(255) NOT NULL,
    summary TEXT DEFAULT '' NOT NULL,
    content_md TEXT DEFAULT '' NOT NULL,
    prerequisites JSONB DEFAULT '[]' NOT NULL,
    glossary JSONB DEFAULT '[]' NOT NULL,
    sections JSONB DEFAULT '[]' NOT NULL,
    expert VARCHAR(200),
    dropped JSONB DEFAULT '[]' NOT NULL,
    language VARCHAR(35),
    state VARCHAR(10) NOT NULL,
    engine VARCHAR(40) NOT NULL,
    engine_version VARCHAR(80) NOT NULL,
    lesson_id UUID,
    published_at TIMESTAMP WITH TIME ZONE,
    archived_at TIMESTAMP WITH TIME ZONE,
    search_text TEXT DEFAULT '' NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_tutorials PRIMARY KEY (id),
    CONSTRAINT ck_tutorials_state CHECK (state IN ('draft','published','archived')),
    CONSTRAINT fk_tutorials_transcript_id_transcripts FOREIGN KEY(transcript_id) REFERENCES tutorials.transcripts (id) ON DELETE SET NULL
);
CREATE INDEX ix_tutorials_transcript_id ON tutorials.tutorials (transcript_id);
CREATE INDEX ix_tutorials_user_id ON tutorials.tutorials (user_id);
CREATE INDEX ix_tutorials_workspace_id_created_at_id ON tutorials.tutorials (workspace_id, created_at, id);
CREATE TABLE tutorials.tutorial_links (
    id UUID NOT NULL,
    tutorial_id UUID NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_tutorial_links PRIMARY KEY (id),
    CONSTRAINT fk_tutorial_links_tutorial_id_tutorials FOREIGN KEY(tutorial_id) REFERENCES tutorials.tutorials (id) ON DELETE CASCADE,
    CONSTRAINT uq_tutorial_links_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_tutorial_links_tutorial_id ON tutorials.tutorial_links (tutorial_id);
CREATE TABLE tutorials.tutorial_steps (
    id UUID NOT NULL,
    tutorial_id UUID NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    segment_from INTEGER NOT NULL,
    segment_to INTEGER NOT NULL,
    score FLOAT,
    CONSTRAINT pk_tutorial_steps PRIMARY KEY (id),
    CONSTRAINT uq_tutorial_steps_tutorial_id_position UNIQUE (tutorial_id, position) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_tutorial_steps_times CHECK (start_ms >= 0 AND start_ms <= end_ms),
    CONSTRAINT ck_tutorial_steps_segments CHECK (segment_from >= 0 AND segment_from <= segment_to),
    CONSTRAINT fk_tutorial_steps_tutorial_id_tutorials FOREIGN KEY(tutorial_id) REFERENCES tutorials.tutorials (id) ON DELETE CASCADE
);
"""

DOWN = "DROP SCHEMA tutorials CASCADE;"


def upgrade() -> None:
    """Create the schema with its tables."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Remove them."""
    op.get_bind().exec_driver_sql(DOWN)
