"""Versions of a dataset: their manifests from PostgreSQL, their rows from objects, new commits made of both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from uuid import UUID

from cachetools import LRUCache
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.commits.domain import CommitTable, ManifestRecord, NewCommit, SheetNotFound
from dataforge.contexts.datasets.commits.queries import resolve_version
from dataforge.contexts.datasets.tables import commit_tables, commits, manifests
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database
from versioned_tables.compare.diff import count_changes
from versioned_tables.errors import CorruptStorage
from versioned_tables.format.manifest import Manifest
from versioned_tables.format.manifest_codec import EncodedManifest, decode_manifest, encode_manifest
from versioned_tables.hashing.commits import commit_id, tree_hash
from versioned_tables.maintain.maintenance import live_keys
from versioned_tables.objects import ByteStream, ObjectStore, StoredObject
from versioned_tables.schema.names import require_distinct
from versioned_tables.storage.table_store import TableStore

CACHED_DATASETS = 4
CACHED_MANIFESTS = 64
CACHE_BYTES = 96 << 20
MOST_TABLES = 1000
REMEMBERED = 100_000
# A manifest with its record and the records of its chain by id.
DecodedManifest: TypeAlias = tuple[EncodedManifest, Manifest, Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of a commit as its row says, its manifest, and the records it was decoded from."""

    row: CommitTable
    manifest: Manifest
    record: EncodedManifest
    chain: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Version:
    """One commit: its tables by sheet in their order."""

    dataset_id: UUID
    commit_id: str
    content_hash: str
    parent: str | None
    merge_parent: str | None
    tables: Mapping[str, StoredTable]

    @property
    def manifests(self) -> dict[str, Manifest]:
        """Manifests by sheet."""
        return {sheet: table.manifest for sheet, table in self.tables.items()}

    def sheet_name(self, sheet: str | None) -> str:
        """The sheet asked for, or the only one; raises SheetNotFound."""
        if sheet is None and len(self.tables) == 1:
            return next(iter(self.tables))
        if sheet is not None and sheet in self.tables:
            return sheet
        names = ", ".join(list(self.tables)[:20])
        if not self.tables:
            message = Text(
                "Commit {commit_id} has no tables yet; import a file or create a table.", commit_id=self.commit_id
            )
        elif sheet is None:
            message = Text("The version has {count} sheets; name one: {names}.", count=len(self.tables), names=names)
        else:
            message = Text("There is no sheet {sheet!r}; the version has {names}.", sheet=sheet, names=names)
        raise SheetNotFound(message, facts={"sheets": list(self.tables)[:1000]})

    def sheet(self, sheet: str | None) -> tuple[str, Manifest]:
        """Name and manifest of the sheet asked for, or of the only one; raises SheetNotFound."""
        name = self.sheet_name(sheet)
        return name, self.tables[name].manifest


def chunk_prefix(dataset_id: UUID) -> str:
    """Where the objects of a dataset are."""
    return f"chunks/{dataset_id}/"


class WatchedStore:
    """An object store that remembers which objects were there already when somebody wanted to store them.

    Such an object may be garbage that a collection is about to remove, so a commit that names it looks again before it
    is published (see `commands.refs.publish_commit`).
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._reused: LRUCache[str, bool] = LRUCache(REMEMBERED)
        self._lock = threading.Lock()

    def reused(self) -> set[str]:
        """Keys that were taken."""
        with self._lock:
            return set(self._reused)

    def note(self, key: str) -> None:
        """Remember that an object was there already."""
        with self._lock:
            self._reused[key] = True

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store unless the key is taken."""
        stored = self._store.put_if_absent(key, data)
        if not stored:
            self.note(key)
        return stored

    def get(self, key: str) -> bytes:
        """The whole object."""
        return self._store.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Some bytes of it."""
        return self._store.get_range(key, start, length)

    def stream(self, key: str, start: int, stop: int, step: int) -> ByteStream:
        """Its bytes in blocks."""
        return self._store.stream(key, start, stop, step)

    def size(self, key: str) -> int:
        """Its bytes."""
        return self._store.size(key)

    def delete(self, key: str) -> None:
        """Remove it."""
        self._store.delete(key)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Objects under a prefix."""
        return self._store.list(prefix)


class Versions:
    """Loads and prepares versions; keep one per process for its caches. All caches are of immutable things."""

    def __init__(self, database: Database, objects: ObjectStore) -> None:
        self.database = database
        self.objects = objects
        self._watched = WatchedStore(objects)
        self._stores: LRUCache[UUID, TableStore] = LRUCache(CACHED_DATASETS)
        self._storing = threading.Lock()  # stores are asked for in threads, too
        self._decoded: LRUCache[tuple[UUID, str], DecodedManifest] = LRUCache(CACHED_MANIFESTS)

    def store(self, dataset_id: UUID) -> TableStore:
        """Reads and writes the objects of a dataset; nothing is shared between datasets."""
        with self._storing:
            store = self._stores.get(dataset_id)
            if store is None:
                store = TableStore(self._watched, chunk_prefix(dataset_id), cache_bytes=CACHE_BYTES)
                self._stores[dataset_id] = store
            return store

    def prepare(
        self, base: Version, tables: Mapping[str, Manifest], by: Authorship, *, merge_parent: str | None = None
    ) -> NewCommit | None:
        """`prepare_commit`, with the objects that this process found in place instead of storing them. Blocks."""
        store = self.store(base.dataset_id)
        made = prepare_commit(store, base, tables, by, merge_parent=merge_parent)
        if made is None:
            return None
        before = live_keys(store, [table.manifest for table in base.tables.values()])
        fresh = live_keys(store, tables.values()) - before
        return replace(made, reused=tuple(sorted(fresh & self._watched.reused())))

    async def load(self, dataset_id: UUID, version: str, *, sheet: str | None = None) -> Version:
        """A version by branch, tag or commit id, `sheet` alone if it is named; raises RefNotFound, CommitNotFound."""
        async with self.database.read_only() as connection:
            found = await resolve_version(connection, dataset_id, version)
            return await self.read(connection, dataset_id, found, sheet=sheet)

    async def read(
        self, connection: AsyncConnection, dataset_id: UUID, commit: str, *, sheet: str | None = None
    ) -> Version:
        """The version of a commit that exists."""
        head = (
            await connection.execute(
                select(commits).where(commits.c.dataset_id == dataset_id, commits.c.commit_id == commit)
            )
        ).one()
        query = select(commit_tables).where(
            commit_tables.c.dataset_id == dataset_id, commit_tables.c.commit_id == commit
        )
        if sheet is not None:
            named = (
                select(1)
                .where(
                    commit_tables.c.dataset_id == dataset_id,
                    commit_tables.c.commit_id == commit,
                    commit_tables.c.sheet == sheet,
                )
                .exists()
            )
            # All of them when there is none of the name, so that the refusal can list what there is.
            query = query.where(or_(commit_tables.c.sheet == sheet, ~named))
        rows = (await connection.execute(query.order_by(commit_tables.c.position, commit_tables.c.sheet))).all()
        decoded = await self.manifests(connection, dataset_id, [row.manifest_id for row in rows])
        tables = {}
        for row in rows:
            record, manifest, chain = decoded[row.manifest_id]
            tables[row.sheet] = StoredTable(_table_of(row), manifest, record, chain)
        return Version(dataset_id, commit, head.content_hash, head.parent_commit_id, head.merge_parent_id, tables)

    async def manifests(
        self, connection: AsyncConnection, dataset_id: UUID, ids: Sequence[str]
    ) -> dict[str, DecodedManifest]:
        """Manifests by id, with their records and chains; raises CorruptStorage."""
        found = {one: known for one in dict.fromkeys(ids) if (known := self._decoded.get((dataset_id, one)))}
        missing = [one for one in dict.fromkeys(ids) if one not in found]
        if not missing:
            return found
        mine = manifests.c.dataset_id == dataset_id
        chains = select(func.unnest(manifests.c.chain)).where(mine, manifests.c.manifest_id.in_(missing))
        query = select(manifests.c.manifest_id, manifests.c.chain, manifests.c.data).where(
            mine, or_(manifests.c.manifest_id.in_(missing), manifests.c.manifest_id.in_(chains))
        )
        records = {row.manifest_id: row for row in await connection.execute(query)}
        for one in missing:
            if one not in records:
                raise CorruptStorage(f"Manifest {one} is missing.")
            row = records[one]
            record = EncodedManifest(one, bytes(row.data), tuple(row.chain))
            others = {link: bytes(records[link].data) for link in record.chain if link in records}
            manifest = await asyncio.to_thread(decode_manifest, record, others)
            found[one] = self._decoded[dataset_id, one] = (record, manifest, others)
        return found


def _table_of(row: Any) -> CommitTable:  # noqa: ANN401 - a SQLAlchemy row
    return CommitTable(
        row.sheet,
        row.position,
        row.manifest_id,
        row.leaves_sha256,
        row.definition,
        row.row_count,
        row.size_bytes,
        row.changes,
    )


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who makes a commit, what they say of it, and when (ISO 8601, the same when it is tried again)."""

    author: str
    author_id: UUID | None
    message: str
    at: str


def _require_names(base: Version, tables: Mapping[str, Manifest]) -> None:
    """Raise SchemaMismatch when SQL could not tell tables or columns apart that the base does not have like this."""
    if set(tables) - set(base.tables):
        require_distinct(tables, "tables")
    for sheet, manifest in tables.items():
        known = base.tables.get(sheet)
        if known is None or known.manifest.schema.names != manifest.schema.names:
            require_distinct(manifest.schema.names, f"columns of table {sheet!r}")


def prepare_commit(
    store: TableStore,
    base: Version,
    tables: Mapping[str, Manifest],
    by: Authorship,
    *,
    merge_parent: str | None = None,
) -> NewCommit | None:
    """The commit that makes `tables` (all of them, in order) of the base; None when nothing is different.

    Blocks: encodes manifests, and counts what changed.
    Two merges of equal content still differ from their base, because they join histories.
    """
    _require_names(base, tables)
    tree = tree_hash({sheet: manifest.content for sheet, manifest in tables.items()})
    order = list(tables) == list(base.tables)
    if tree == base.content_hash and order and merge_parent is None:
        return None
    rows: list[CommitTable] = []
    records: list[ManifestRecord] = []
    for position, (sheet, manifest) in enumerate(tables.items()):
        row, record = _stored(store, base.tables.get(sheet), sheet, position, manifest)
        rows.append(row)
        if record is not None:
            records.append(record)
    parents = [base.commit_id] if merge_parent is None else [base.commit_id, merge_parent]
    identity = commit_id(tree, parents=parents, author=by.author, message=by.message, authored_at=by.at)
    return NewCommit(
        identity,
        tree,
        base.commit_id,
        merge_parent,
        by.message,
        by.author,
        by.author_id,
        by.at,
        tuple(rows),
        tuple(records),
    )


def _stored(
    store: TableStore, before: StoredTable | None, sheet: str, position: int, manifest: Manifest
) -> tuple[CommitTable, ManifestRecord | None]:
    definition = manifest.schema.to_json()
    if before is not None and manifest.digest == before.manifest.digest and manifest.schema == before.manifest.schema:
        row = before.row
        kept = CommitTable(
            sheet, position, row.manifest_id, row.leaves_sha256, definition, row.row_count, row.size_bytes, no_changes()
        )
        return kept, None
    parent, chain = (None, {}) if before is None else (before.record, before.chain)
    encoded = encode_manifest(manifest, parent=parent, others=chain)
    row = CommitTable(
        sheet,
        position,
        encoded.id,
        manifest.digest,
        definition,
        manifest.rows,
        manifest.size_bytes,
        changes_of(store, None if before is None else before.manifest, manifest),
    )
    return row, ManifestRecord(encoded.id, encoded.chain, encoded.data)


def no_changes() -> dict[str, int]:
    """Counts of a table that a commit leaves as it was."""
    return {"inserted": 0, "updated": 0, "deleted": 0}


def changes_of(store: TableStore, before: Manifest | None, after: Manifest | None) -> dict[str, int]:
    """Rows inserted, updated and deleted between two versions of a table, None where there is none. Blocks."""
    if before is None or after is None:
        return {
            "inserted": 0 if after is None else after.rows,
            "updated": 0,
            "deleted": 0 if before is None else before.rows,
        }
    return count_changes(store, before, after)


def sheet_summaries(tables: Sequence[CommitTable]) -> list[dict[str, Any]]:
    """The sheets of a commit for people: name, rows, and what changed."""
    return [
        {"sheet_name": table.sheet, "row_count": table.row_count, **(table.changes or {"inserted": None})}
        for table in tables
    ]
