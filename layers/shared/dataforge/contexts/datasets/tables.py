"""Tables of datasets, in the PostgreSQL schema `datasets`.

Rows of data are not here: they are objects in S3, and `manifests` says which. People and workspaces belong to other
contexts and are referred to by id without a foreign key. A commit id is unique within its dataset only: two datasets
made by one person in one instant begin with the same empty commit.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    column,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, CHAR, JSONB, UUID

from dataforge.platform.db.metadata import metadata
from dataforge.platform.jobs.repository import job_columns

SCHEMA = "datasets"

# identity's public view (see identity.contract); only read here.
directory = table(
    "directory",
    column("user_id", UUID(as_uuid=True)),
    column("username", Text),
    column("display_name", Text),
    column("suspended_at", DateTime(timezone=True)),
    schema="identity",
)

# The public view of workspaces (see workspaces.contract); only read here.
memberships = table(
    "memberships",
    column("workspace_id", UUID(as_uuid=True)),
    column("user_id", UUID(as_uuid=True)),
    column("role", Text),
    schema="workspaces",
)
# Those that are not deleted.
open_workspaces = table("directory", column("workspace_id", UUID(as_uuid=True)), schema="workspaces")


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _dataset() -> Column[object]:
    return Column("dataset_id", UUID(as_uuid=True), ForeignKey(datasets.c.id, ondelete="CASCADE"), primary_key=True)


datasets = Table(
    "datasets",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("workspace_id", UUID(as_uuid=True), index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("default_branch", String(100), nullable=False, server_default=text("'main'")),
    Column("review_count", Integer, nullable=False, server_default=text("0")),
    # When its storage was last compacted and collected.
    Column("upkeep_at", DateTime(timezone=True)),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_by", UUID(as_uuid=True)),
    _at("created_at"),
    _at("updated_at"),
    Column("deleted_at", DateTime(timezone=True), index=True),
    # A deleted name is free again; restoring may then be refused.
    Index(
        "uq_datasets_name_created_by",
        "created_by",
        "name",
        unique=True,
        postgresql_where=text("deleted_at IS NULL AND workspace_id IS NULL"),
    ),
    Index(
        "uq_datasets_workspace_id_name",
        "workspace_id",
        "name",
        unique=True,
        postgresql_where=text("deleted_at IS NULL AND workspace_id IS NOT NULL"),
    ),
    Index("ix_datasets_name_id", "name", "id"),
    schema=SCHEMA,
)

dataset_permissions = Table(
    "dataset_permissions",
    metadata,
    _dataset(),
    Column("subject_kind", String(10), primary_key=True),
    Column("subject_id", UUID(as_uuid=True), primary_key=True, index=True),
    Column("level", String(5), nullable=False),
    Column("granted_by", UUID(as_uuid=True)),
    _at("granted_at"),
    CheckConstraint("subject_kind IN ('user','workspace')", name="subject_kind"),
    CheckConstraint("level IN ('read','write','admin')", name="level"),
    schema=SCHEMA,
)

dataset_tags = Table(
    "dataset_tags",
    metadata,
    _dataset(),
    Column("tag", String(64), primary_key=True, index=True),
    schema=SCHEMA,
)

commits = Table(
    "commits",
    metadata,
    _dataset(),
    Column("commit_id", CHAR(64), primary_key=True),
    # Over the content of all tables: equal content, equal hash, whatever the history.
    Column("content_hash", CHAR(64), nullable=False),
    Column("parent_commit_id", CHAR(64)),
    Column("merge_parent_id", CHAR(64)),
    # One more than the larger of the parents': history is walked in this order and stops early.
    Column("generation", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("author", String(255), nullable=False),
    Column("author_id", UUID(as_uuid=True)),
    Column("authored_at", String(40), nullable=False),
    _at("committed_at"),
    CheckConstraint("merge_parent_id IS NULL OR parent_commit_id IS NOT NULL", name="parents"),
    ForeignKeyConstraint(
        ["dataset_id", "parent_commit_id"], ["datasets.commits.dataset_id", "datasets.commits.commit_id"],
        name="fk_commits_parent", deferrable=True, initially="DEFERRED",
    ),
    ForeignKeyConstraint(
        ["dataset_id", "merge_parent_id"], ["datasets.commits.dataset_id", "datasets.commits.commit_id"],
        name="fk_commits_merge_parent", deferrable=True, initially="DEFERRED",
    ),
    Index("ix_commits_parent", "dataset_id", "parent_commit_id"),
    Index("ix_commits_merge_parent", "dataset_id", "merge_parent_id"),
    schema=SCHEMA,
)  # fmt: skip

manifests = Table(
    "manifests",
    metadata,
    _dataset(),
    # SHA-256 of `data`; `chain` names the records that are decoded before it, oldest first.
    Column("manifest_id", CHAR(64), primary_key=True),
    Column("chain", ARRAY(CHAR(64)), nullable=False),
    Column("data", LargeBinary, nullable=False),
    _at("created_at"),
    schema=SCHEMA,
)

commit_tables = Table(
    "commit_tables",
    metadata,
    _dataset(),
    Column("commit_id", CHAR(64), primary_key=True),
    Column("sheet", String(255), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("manifest_id", CHAR(64), nullable=False),
    Column("leaves_sha256", CHAR(64), nullable=False),
    Column("definition", JSONB, nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("changes", JSONB),
    ForeignKeyConstraint(
        ["dataset_id", "commit_id"], ["datasets.commits.dataset_id", "datasets.commits.commit_id"],
        name="fk_commit_tables_commit", ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["dataset_id", "manifest_id"], ["datasets.manifests.dataset_id", "datasets.manifests.manifest_id"],
        name="fk_commit_tables_manifest", deferrable=True, initially="DEFERRED",
    ),
    Index("ix_commit_tables_manifest", "dataset_id", "manifest_id"),
    schema=SCHEMA,
)  # fmt: skip

# By content, not by commit: equal tables have equal statistics, also after a revert or in another branch.
table_statistics = Table(
    "table_statistics",
    metadata,
    _dataset(),
    Column("leaves_sha256", CHAR(64), primary_key=True),
    Column("signature", CHAR(64), primary_key=True),
    Column("statistics", JSONB, nullable=False),
    _at("created_at"),
    schema=SCHEMA,
)

refs = Table(
    "refs",
    metadata,
    _dataset(),
    Column("name", String(100), primary_key=True),
    Column("kind", String(6), nullable=False),
    Column("commit_id", CHAR(64), nullable=False),
    Column("protected", Boolean, nullable=False, server_default=text("false")),
    Column("required_approvals", SmallInteger, nullable=False, server_default=text("0")),
    Column("created_by", UUID(as_uuid=True)),
    _at("created_at"),
    _at("updated_at"),
    CheckConstraint("kind IN ('branch','tag')", name="kind"),
    CheckConstraint("required_approvals BETWEEN 0 AND 20", name="required_approvals"),
    ForeignKeyConstraint(
        ["dataset_id", "commit_id"], ["datasets.commits.dataset_id", "datasets.commits.commit_id"],
        name="fk_refs_commit", deferrable=True, initially="DEFERRED",
    ),
    schema=SCHEMA,
)  # fmt: skip

jobs = Table(
    "jobs",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("dataset_id", UUID(as_uuid=True), ForeignKey(datasets.c.id, ondelete="CASCADE"), nullable=False),
    Column("run_type", String(20), nullable=False),
    Column("ref_name", String(100)),
    Column("source_commit_id", CHAR(64)),
    Column("upload_id", UUID(as_uuid=True)),
    *job_columns(),
    CheckConstraint(
        "run_type IN ('import','export','sampling','exploration','profiling','import_plan','publication')",
        name="run_type",
    ),
    CheckConstraint("status IN ('pending','running','completed','failed','cancelled')", name="status"),
    Index("ix_jobs_dataset_id_id", "dataset_id", "id"),
    Index("ix_jobs_open", "status", "queued_at", postgresql_where=text("status IN ('pending','running')")),
    schema=SCHEMA,
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("dataset_id", UUID(as_uuid=True), ForeignKey(datasets.c.id, ondelete="CASCADE"), nullable=False),
    Column("ref_name", String(100), nullable=False),
    Column("base_commit_id", CHAR(64), nullable=False),
    Column("s3_key", String(500), nullable=False, unique=True),
    Column("s3_upload_id", Text, nullable=False),
    Column("file_name", String(255), nullable=False),
    Column("content_type", String(255), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("part_size", BigInteger, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("state", String(10), nullable=False),
    Column("job_id", UUID(as_uuid=True)),
    Column("created_by", UUID(as_uuid=True)),
    _at("created_at"),
    _at("expires_at"),
    CheckConstraint("state IN ('open','completing','completed','aborted')", name="state"),
    Index("ix_uploads_dataset_id_id", "dataset_id", "id"),
    Index("ix_uploads_unfinished", "expires_at", postgresql_where=text("state IN ('open','completing')")),
    schema=SCHEMA,
)

expectations = Table(
    "expectations",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("dataset_id", UUID(as_uuid=True), ForeignKey(datasets.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("rule", String(20), nullable=False),
    Column("sheet", String(255)),
    Column("columns", ARRAY(Text), nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("severity", String(10), nullable=False),
    Column("created_by", UUID(as_uuid=True)),
    _at("created_at"),
    UniqueConstraint("dataset_id", "name"),
    schema=SCHEMA,
)

review_requests = Table(
    "review_requests",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("dataset_id", UUID(as_uuid=True), ForeignKey(datasets.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", String(255), nullable=False),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("source_ref", String(100), nullable=False),
    Column("target_ref", String(100), nullable=False),
    Column("state", String(10), nullable=False),
    Column("author_id", UUID(as_uuid=True)),
    Column("merged_commit_id", CHAR(64)),
    Column("ended_by", UUID(as_uuid=True)),
    _at("created_at"),
    _at("updated_at"),
    CheckConstraint("state IN ('open','merged','closed')", name="state"),
    UniqueConstraint("dataset_id", "number"),
    schema=SCHEMA,
)

review_comments = Table(
    "review_comments",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column(
        "review_id",
        UUID(as_uuid=True),
        ForeignKey(review_requests.c.id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("author_id", UUID(as_uuid=True)),
    Column("body", Text, nullable=False),
    Column("sheet", String(255)),
    Column("row_key", JSONB),
    _at("created_at"),
    schema=SCHEMA,
)

review_opinions = Table(
    "review_opinions",
    metadata,
    Column("review_id", UUID(as_uuid=True), ForeignKey(review_requests.c.id, ondelete="CASCADE"), primary_key=True),
    Column("user_id", UUID(as_uuid=True), primary_key=True),
    Column("verdict", String(20), nullable=False),
    Column("head_commit_id", CHAR(64), nullable=False),
    _at("created_at"),
    CheckConstraint("verdict IN ('approved','changes_requested')", name="verdict"),
    schema=SCHEMA,
)

review_checks = Table(
    "review_checks",
    metadata,
    Column("review_id", UUID(as_uuid=True), ForeignKey(review_requests.c.id, ondelete="CASCADE"), primary_key=True),
    Column("head_commit_id", CHAR(64), primary_key=True),
    Column("target_commit_id", CHAR(64), primary_key=True),
    Column("results", JSONB, nullable=False),
    _at("created_at"),
    schema=SCHEMA,
)

publications = Table(
    "publications",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column(
        "dataset_id", UUID(as_uuid=True), ForeignKey(datasets.c.id, ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("ref_name", String(100)),
    # With the branch `ref_name`, or else at `commit_id`.
    Column("follows", Boolean, nullable=False),
    Column("commit_id", CHAR(64)),
    Column("sheet", String(255), nullable=False),
    # Within the namespace of the dataset.
    Column("table_name", String(128), nullable=False, unique=True),
    Column("published_commit_id", CHAR(64)),
    Column("snapshot_id", BigInteger),
    Column("row_count", BigInteger),
    _at("published_at", nullable=True),
    Column("failure", JSONB),
    _at("failed_at", nullable=True),
    Column("removing", Boolean, nullable=False, server_default=text("false")),
    # The job that works on it, or did last.
    Column("job_id", UUID(as_uuid=True)),
    Column("created_by", UUID(as_uuid=True)),
    _at("created_at"),
    CheckConstraint("follows = (commit_id IS NULL)", name="target"),
    Index(
        "uq_publications_branch", "dataset_id", "ref_name", "sheet", unique=True,
        postgresql_where=text("follows AND NOT removing"),
    ),
    Index(
        "uq_publications_commit", "dataset_id", "commit_id", "sheet", unique=True,
        postgresql_where=text("NOT follows AND NOT removing"),
    ),
    schema=SCHEMA,
)  # fmt: skip

# The SQL catalog, where Glue is not: pyiceberg and what speaks to such catalogs keep these two, in their words.
iceberg_tables = Table(
    "iceberg_tables",
    metadata,
    Column("catalog_name", String(255), primary_key=True),
    Column("table_namespace", String(255), primary_key=True),
    Column("table_name", String(255), primary_key=True),
    Column("metadata_location", String(1000)),
    Column("previous_metadata_location", String(1000)),
    Column("iceberg_type", String(5)),
    schema=SCHEMA,
)
iceberg_namespace_properties = Table(
    "iceberg_namespace_properties",
    metadata,
    Column("catalog_name", String(255), primary_key=True),
    Column("namespace", String(255), primary_key=True),
    Column("property_key", String(255), primary_key=True),
    Column("property_value", String(1000), nullable=False),
    schema=SCHEMA,
)
