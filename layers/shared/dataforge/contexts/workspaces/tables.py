"""Tables of workspaces, in the PostgreSQL schema `workspaces`; people are in `identity.directory`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR, UUID

from dataforge.platform.db.metadata import metadata

SCHEMA = "workspaces"


def _id() -> Column[object]:
    return Column("id", UUID(as_uuid=True), primary_key=True)


def _workspace() -> Column[object]:
    return Column(
        "workspace_id", UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.workspaces.id", ondelete="CASCADE"), nullable=False
    )


def _versioned() -> list[Column[object]]:
    return [
        Column("revision", Integer, nullable=False, server_default=text("1")),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
    ]


profiles = Table(
    "profiles",
    metadata,
    Column("user_id", UUID(as_uuid=True), primary_key=True),
    Column("about", Text, nullable=False, server_default=text("''")),
    Column("preferences", JSONB, nullable=False, server_default=text("'{}'")),
    *_versioned(),
    schema=SCHEMA,
)

workspaces = Table(
    "workspaces",
    metadata,
    _id(),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("owner_id", UUID(as_uuid=True), ForeignKey(profiles.c.user_id), nullable=False),
    Column("workspace_type", String(20), nullable=False),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    Column("archived_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    # The export that the deletion waits for.
    Column("export_key", String(300)),
    Column("export_bytes", BigInteger),
    Column("exported_at", DateTime(timezone=True)),
    *_versioned(),
    CheckConstraint("workspace_type IN ('general','client','personal','research')", name="workspace_type"),
    schema=SCHEMA,
)
Index(
    "uq_workspaces_owner_id_name_ci",
    workspaces.c.owner_id,
    func.lower(workspaces.c.name),
    unique=True,
    postgresql_where=text("deleted_at IS NULL"),
)
Index("ix_workspaces_deleted_at", workspaces.c.deleted_at, postgresql_where=text("deleted_at IS NOT NULL"))

members = Table(
    "members",
    metadata,
    Column(
        "workspace_id",
        UUID(as_uuid=True),
        ForeignKey(workspaces.c.id, ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("user_id", UUID(as_uuid=True), primary_key=True, index=True),
    Column("role", String(10), nullable=False),
    Column("joined_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("role IN ('owner','admin','editor','viewer')", name="role"),
    schema=SCHEMA,
)

invitations = Table(
    "invitations",
    metadata,
    _id(),
    _workspace(),
    Column("email", String(255), nullable=False),
    Column("role", String(10), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("sendings", Integer, nullable=False, server_default=text("1")),
    Column("sent_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("accepted_at", DateTime(timezone=True)),
    Column("accepted_by", UUID(as_uuid=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("invited_by", UUID(as_uuid=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("role IN ('owner','admin','editor','viewer')", name="role"),
    schema=SCHEMA,
)
Index(
    "uq_invitations_workspace_id_email_open",
    invitations.c.workspace_id,
    func.lower(invitations.c.email),
    unique=True,
    postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
)
Index("ix_invitations_workspace_id", invitations.c.workspace_id)

repos = Table(
    "repos",
    metadata,
    _id(),
    _workspace(),
    Column("name", String(255), nullable=False),
    Column("path", String(1024), nullable=False),
    Column("remote_url", String(2048)),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    Column("last_synced", DateTime(timezone=True)),
    Column("default_branch", String(500)),
    Column("refs_truncated", Boolean, nullable=False, server_default=text("false")),
    Column("webhook_secret", LargeBinary),  # sealed
    Column("webhook_secret_at", DateTime(timezone=True)),
    *_versioned(),
    schema=SCHEMA,
)
Index("uq_repos_workspace_id_name_ci", repos.c.workspace_id, func.lower(repos.c.name), unique=True)

repo_refs = Table(
    "repo_refs",
    metadata,
    Column("repo_id", UUID(as_uuid=True), ForeignKey(repos.c.id, ondelete="CASCADE"), primary_key=True),
    Column("name", String(500, collation="C"), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("commit_hash", String(64)),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

repo_deliveries = Table(
    "repo_deliveries",
    metadata,
    Column("repo_id", UUID(as_uuid=True), ForeignKey(repos.c.id, ondelete="CASCADE"), primary_key=True),
    Column("delivery_id", String(200), primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, index=True),
    schema=SCHEMA,
)

vaults = Table(
    "vaults",
    metadata,
    _id(),
    _workspace(),
    Column("name", String(255), nullable=False),
    Column("path", String(1024), nullable=False),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    Column("is_locked", Boolean, nullable=False, server_default=text("false")),
    Column("locked_by", UUID(as_uuid=True)),
    Column("locked_at", DateTime(timezone=True)),
    *_versioned(),
    schema=SCHEMA,
)
Index("uq_vaults_workspace_id_name_ci", vaults.c.workspace_id, func.lower(vaults.c.name), unique=True)

notes = Table(
    "notes",
    metadata,
    _id(),
    Column("workspace_id", UUID(as_uuid=True), nullable=False),  # the vault's; they are deleted together
    Column("vault_id", UUID(as_uuid=True), ForeignKey(vaults.c.id, ondelete="CASCADE"), nullable=False),
    Column("path", String(500), nullable=False),
    Column("path_key", Text(collation="C"), nullable=False),
    Column("title", String(255), nullable=False),
    Column("body_md", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("updated_by", UUID(as_uuid=True), nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
    Column("search_title", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("search_words", TSVECTOR, nullable=False),
    *_versioned(),
    Index(
        "uq_notes_vault_id_path_key", "vault_id", "path_key", unique=True, postgresql_where=text("deleted_at IS NULL")
    ),
    Index("ix_notes_vault_id", "vault_id"),
    Index("ix_notes_search_words", "search_words", postgresql_using="gin"),
    Index("ix_notes_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    Index(
        "ix_notes_workspace_id_updated_at",
        "workspace_id",
        "updated_at",
        "id",
        postgresql_where=text("deleted_at IS NULL"),
    ),
    schema=SCHEMA,
)

note_revisions = Table(
    "note_revisions",
    metadata,
    Column("note_id", UUID(as_uuid=True), ForeignKey(notes.c.id, ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("path", String(500), nullable=False),
    Column("body_md", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("author_id", UUID(as_uuid=True), nullable=False),
    Column("automatic", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    schema=SCHEMA,
)

note_links = Table(
    "note_links",
    metadata,
    Column("note_id", UUID(as_uuid=True), ForeignKey(notes.c.id, ondelete="CASCADE"), primary_key=True),
    Column("target", Text, primary_key=True),
    Index("ix_note_links_target", "target"),
    schema=SCHEMA,
)

global_resources = Table(
    "global_resources",
    metadata,
    _id(),
    Column("user_id", UUID(as_uuid=True), ForeignKey(profiles.c.user_id, ondelete="CASCADE"), nullable=False),
    Column("resource_type", String(20), nullable=False),
    Column("name", String(255), nullable=False),
    Column("resource_data", JSONB, nullable=False),
    *_versioned(),
    CheckConstraint("resource_type IN ('contact','template','snippet')", name="resource_type"),
    UniqueConstraint("user_id", "resource_type", "name", name="uq_global_resources_user_id_resource_type_name"),
    schema=SCHEMA,
)

workspace_global_resources = Table(
    "workspace_global_resources",
    metadata,
    Column(
        "workspace_id",
        UUID(as_uuid=True),
        ForeignKey(workspaces.c.id, ondelete="CASCADE"),
        primary_key=True,
    ),
    Column(
        "resource_id",
        UUID(as_uuid=True),
        ForeignKey(global_resources.c.id, ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    Column("access_level", String(10), nullable=False),
    Column("shared_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("access_level IN ('read','write','copy')", name="access_level"),
    schema=SCHEMA,
)
