"""What a commit is made of when it is published: ids and records, no rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dataforge.kernel.errors import NotFound, Unavailable
from dataforge.kernel.texts import Text

INITIAL_MESSAGE = "Initial commit"
MAX_MESSAGE = 10_000


@dataclass(frozen=True, slots=True)
class ManifestRecord:
    """A manifest as stored: SHA-256 of its bytes, and the records decoded before it."""

    id: str
    chain: tuple[str, ...]
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CommitTable:
    """One table of a commit: which manifest holds it, its schema, its size, and what changed."""

    sheet: str
    position: int
    manifest_id: str
    leaves_sha256: str
    definition: Mapping[str, Any]
    row_count: int
    size_bytes: int
    changes: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit ready to be published; `manifests` are those that are not stored yet."""

    commit_id: str
    content_hash: str
    parent: str | None
    merge_parent: str | None
    message: str
    author: str
    author_id: UUID | None
    authored_at: str
    tables: tuple[CommitTable, ...] = ()
    manifests: tuple[ManifestRecord, ...] = ()
    # Objects that were there already when this commit's rows were stored: nobody may have collected them since.
    reused: tuple[str, ...] = ()

    @property
    def row_count(self) -> int:
        """Rows of all tables."""
        return sum(table.row_count for table in self.tables)


@dataclass(frozen=True, slots=True)
class Published:
    """Where a ref was and where it is now; `unchanged` says that there was nothing to commit."""

    ref: str
    previous_commit_id: str
    commit_id: str
    unchanged: bool = False
    tables: tuple[CommitTable, ...] = ()


_COMMIT = re.compile(r"[0-9a-f]{64}")


class CommitNotFound(NotFound):
    """The dataset has no such commit."""

    code = "commit_not_found"
    title = "There is no such commit"


class StorageMoved(Unavailable):
    """What a commit builds on was collected or compacted while it was made; nothing was changed."""

    code = "storage_moved"
    title = "Storage was tidied up at this moment"


def is_commit_id(text: str) -> bool:
    """Whether the text is spelled like a commit id: 64 hexadecimal digits in lower case."""
    return _COMMIT.fullmatch(text) is not None


def commit_missing(commit_id: str) -> CommitNotFound:
    """The refusal for an unknown commit."""
    return CommitNotFound(
        Text("There is no commit {commit_id} in this dataset.", commit_id=commit_id), facts={"commit_id": commit_id}
    )


class SheetNotFound(NotFound):
    """The version has no such sheet, or several and none was named."""

    code = "sheet_not_found"
    title = "There is no such sheet"
