"""Workspaces: profiles, members, invitations, repos, vaults, notes, shared resources.

Revision: 0009
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UP = """
CREATE SCHEMA workspaces;
CREATE TABLE workspaces.profiles (
    user_id UUID NOT NULL,
    about TEXT DEFAULT '' NOT NULL,
    preferences JSONB DEFAULT '{}' NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_profiles PRIMARY KEY (user_id)
);
CREATE TABLE workspaces.global_resources (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    resource_type VARCHAR(20) NOT NULL,
    name VARCHAR(255) NOT NULL,
    resource_data JSONB NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_global_resources PRIMARY KEY (id),
    CONSTRAINT ck_global_resources_resource_type CHECK (resource_type IN ('contact','template','snippet')),
    CONSTRAINT uq_global_resources_user_id_resource_type_name UNIQUE (user_id, resource_type, name),
    CONSTRAINT fk_global_resources_user_id_profiles FOREIGN KEY(user_id) REFERENCES workspaces.profiles (user_id) ON DELETE CASCADE
);
CREATE TABLE workspaces.workspaces (
    id UUID NOT NULL,
    name VARCHAR(255) NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    owner_id UUID NOT NULL,
    workspace_type VARCHAR(20) NOT NULL,
    settings JSONB DEFAULT '{}' NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    deleted_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_workspaces PRIMARY KEY (id),
    CONSTRAINT ck_workspaces_workspace_type CHECK (workspace_type IN ('general','client','personal','research')),
    CONSTRAINT fk_workspaces_owner_id_profiles FOREIGN KEY(owner_id) REFERENCES workspaces.profiles (user_id)
);
CREATE INDEX ix_workspaces_deleted_at ON workspaces.workspaces (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX uq_workspaces_owner_id_name_ci ON workspaces.workspaces (owner_id, lower(name)) WHERE deleted_at IS NULL;
CREATE TABLE workspaces.invitations (
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    email VARCHAR(255) NOT NULL,
    role VARCHAR(10) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    sendings INTEGER DEFAULT 1 NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    accepted_by UUID,
    revoked_at TIMESTAMP WITH TIME ZONE,
    invited_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_invitations PRIMARY KEY (id),
    CONSTRAINT ck_invitations_role CHECK (role IN ('owner','admin','editor','viewer')),
    CONSTRAINT fk_invitations_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces.workspaces (id) ON DELETE CASCADE,
    CONSTRAINT uq_invitations_token_hash UNIQUE (token_hash)
);
CREATE INDEX ix_invitations_workspace_id ON workspaces.invitations (workspace_id);
CREATE UNIQUE INDEX uq_invitations_workspace_id_email_open ON workspaces.invitations (workspace_id, lower(email)) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE TABLE workspaces.members (
    workspace_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role VARCHAR(10) NOT NULL,
    joined_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_members PRIMARY KEY (workspace_id, user_id),
    CONSTRAINT ck_members_role CHECK (role IN ('owner','admin','editor','viewer')),
    CONSTRAINT fk_members_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces.workspaces (id) ON DELETE CASCADE
);
CREATE INDEX ix_members_user_id ON workspaces.members (user_id);
CREATE TABLE workspaces.repos (
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    name VARCHAR(255) NOT NULL,
    path VARCHAR(1024) NOT NULL,
    remote_url VARCHAR(2048),
    metadata JSONB DEFAULT '{}' NOT NULL,
    last_synced TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_repos PRIMARY KEY (id),
    CONSTRAINT fk_repos_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces.workspaces (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_repos_workspace_id_name_ci ON workspaces.repos (workspace_id, lower(name));
CREATE TABLE workspaces.vaults (
    id UUID NOT NULL,
    workspace_id UUID NOT NULL,
    name VARCHAR(255) NOT NULL,
    path VARCHAR(1024) NOT NULL,
    metadata JSONB DEFAULT '{}' NOT NULL,
    is_locked BOOLEAN DEFAULT false NOT NULL,
    locked_by UUID,
    locked_at TIMESTAMP WITH TIME ZONE,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_vaults PRIMARY KEY (id),
    CONSTRAINT fk_vaults_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces.workspaces (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_vaults_workspace_id_name_ci ON workspaces.vaults (workspace_id, lower(name));
CREATE TABLE workspaces.workspace_global_resources (
    workspace_id UUID NOT NULL,
    resource_id UUID NOT NULL,
    access_level VARCHAR(10) NOT NULL,
    shared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_workspace_global_resources PRIMARY KEY (workspace_id, resource_id),
    CONSTRAINT ck_workspace_global_resources_access_level CHECK (access_level IN ('read','write','copy')),
    CONSTRAINT fk_workspace_global_resources_workspace_id_workspaces FOREIGN KEY(workspace_id) REFERENCES workspaces.workspaces (id) ON DELETE CASCADE,
    CONSTRAINT fk_workspace_global_resources_resource_id_global_resources FOREIGN KEY(resource_id) REFERENCES workspaces.global_resources (id) ON DELETE CASCADE
);
CREATE INDEX ix_workspace_global_resources_resource_id ON workspaces.workspace_global_resources (resource_id);
CREATE TABLE workspaces.notes (
    id UUID NOT NULL,
    vault_id UUID NOT NULL,
    path VARCHAR(500) NOT NULL,
    path_key TEXT NOT NULL,
    title VARCHAR(255) NOT NULL,
    body_md TEXT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    updated_by UUID NOT NULL,
    deleted_at TIMESTAMP WITH TIME ZONE,
    search_title TEXT NOT NULL,
    search_text TEXT NOT NULL,
    search_words TSVECTOR NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_notes PRIMARY KEY (id),
    CONSTRAINT fk_notes_vault_id_vaults FOREIGN KEY(vault_id) REFERENCES workspaces.vaults (id) ON DELETE CASCADE
);
CREATE INDEX ix_notes_deleted_at ON workspaces.notes (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX ix_notes_search_words ON workspaces.notes USING gin (search_words);
CREATE INDEX ix_notes_vault_id ON workspaces.notes (vault_id);
CREATE UNIQUE INDEX uq_notes_vault_id_path_key ON workspaces.notes (vault_id, path_key) WHERE deleted_at IS NULL;
CREATE TABLE workspaces.note_links (
    note_id UUID NOT NULL,
    target TEXT NOT NULL,
    CONSTRAINT pk_note_links PRIMARY KEY (note_id, target),
    CONSTRAINT fk_note_links_note_id_notes FOREIGN KEY(note_id) REFERENCES workspaces.notes (id) ON DELETE CASCADE
);
CREATE INDEX ix_note_links_target ON workspaces.note_links (target);
CREATE TABLE workspaces.note_revisions (
    note_id UUID NOT NULL,
    revision INTEGER NOT NULL,
    path VARCHAR(500) NOT NULL,
    body_md TEXT NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    author_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_note_revisions PRIMARY KEY (note_id, revision),
    CONSTRAINT fk_note_revisions_note_id_notes FOREIGN KEY(note_id) REFERENCES workspaces.notes (id) ON DELETE CASCADE
);

-- Who is in which workspace, for other contexts; columns are only ever added.
CREATE VIEW workspaces.memberships AS
SELECT m.workspace_id, m.user_id, m.role
FROM workspaces.members m JOIN workspaces.workspaces w ON w.id = m.workspace_id
WHERE w.deleted_at IS NULL;
"""

DOWN = "DROP SCHEMA workspaces CASCADE;"


def upgrade() -> None:
    """Create the schema with its tables."""
    op.get_bind().exec_driver_sql(UP)


def downgrade() -> None:
    """Remove them."""
    op.get_bind().exec_driver_sql(DOWN)
