"""Direct commits, and publishing of commits however they were made."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from dataforge.contexts.datasets.commits.domain import NewCommit, Published, SheetNotFound, StorageMoved
from dataforge.contexts.datasets.commits.versions import MOST_TABLES, Authorship, Version, Versions
from dataforge.contexts.datasets.datasets.domain import DatasetNotFound
from dataforge.contexts.datasets.jobs.domain import JobClaim
from dataforge.contexts.datasets.refs.commands import announce_move
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.errors import AlreadyExists, BadRequest, ObjectMissing
from dataforge.kernel.texts import Text
from versioned_tables.format.manifest import Manifest
from versioned_tables.objects import ObjectStore
from versioned_tables.schema.columns import make_schema
from versioned_tables.write.operations import RowOperation, apply_operations, change_schema

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class PublishCommit:
    """Make a prepared commit visible on a branch that is still at `expected`.

    `commit` None publishes nothing: the content was the same. `reviewed` may write to a protected branch.
    """

    dataset_id: UUID
    ref: str
    expected: str
    commit: NewCommit | None
    job: JobClaim | None = None
    reviewed: bool = False


def _check_objects(keys: Sequence[str], objects: ObjectStore) -> None:
    try:
        # A large import that is tried again names hundreds, and the branch waits.
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="objects") as pool:
            list(pool.map(objects.size, keys))
    except ObjectMissing as error:
        message = Text("Storage was tidied up while this commit was made; nothing was changed. Try again.")
        raise StorageMoved(message, headers={"Retry-After": "1"}) from error


async def publish_commit(command: PublishCommit, uow: DatasetsUnitOfWork, *, objects: ObjectStore) -> Published:
    """Commit, tables, manifests, ref and the end of the job become visible together or not at all.

    Raises RefMoved when the branch is elsewhere by now, RefProtected, NotABranch, JobLost, JobCancelled, StorageMoved.
    """
    if not await uow.datasets.hold(command.dataset_id):
        message = Text("The dataset was deleted meanwhile.")
        raise DatasetNotFound(message)
    if command.commit is not None and command.commit.reused:
        await asyncio.to_thread(_check_objects, command.commit.reused, objects)
    ref = await uow.refs.lock(command.dataset_id, command.ref)
    ref.check_at(command.expected)
    if not command.reviewed:
        ref.check_takes_commits()
    if command.commit is None:
        published = Published(ref.name, ref.commit_id, ref.commit_id, unchanged=True)
    else:
        await uow.commits.add(command.dataset_id, command.commit)
        await uow.refs.move(command.dataset_id, ref.name, command.commit.commit_id)
        announce_move(ref, command.dataset_id, command.commit.commit_id, uow)
        published = Published(ref.name, ref.commit_id, command.commit.commit_id, tables=command.commit.tables)
        uow.audit(ref.entry("committed", command.dataset_id, command.commit.commit_id))
    if command.job is not None:
        summary = {"new_commit_id": published.commit_id, "updated_ref": ref.name, **command.job.summary}
        end = {**summary, "unchanged": published.unchanged}
        await uow.jobs.complete(command.job.job_id, command.job.worker, end, command.job.progress)
    return published


class SheetExists(AlreadyExists):
    """The version has a sheet of this name."""

    code = "sheet_exists"
    title = "The sheet already exists"


class NothingToCommit(BadRequest):
    """A commit needs at least one change."""

    code = "nothing_to_commit"
    status = 422
    title = "There is nothing to commit"


@dataclass(frozen=True, slots=True)
class NewTable:
    """An empty table: columns as (name, type), key by names."""

    sheet: str
    columns: Sequence[tuple[str, str]]
    key: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SchemaEdit:
    """Changes of the schema of one sheet, by present names."""

    sheet: str | None
    rename: dict[str, str]
    types: dict[str, str]
    drop: Sequence[str]
    add: Sequence[tuple[str, str]]
    order: Sequence[str]


@dataclass(frozen=True, slots=True)
class SheetOperation:
    """A row operation and the sheet it is for."""

    sheet: str | None
    operation: RowOperation


@dataclass(frozen=True, slots=True)
class Changes:
    """A direct commit: tables dropped, tables made, schemas changed, rows changed, in this order."""

    drop: Sequence[str] = ()
    create: Sequence[NewTable] = ()
    schemas: Sequence[SchemaEdit] = ()
    operations: Sequence[SheetOperation] = field(default_factory=tuple)


async def commit_changes(versions: Versions, base: Version, changes: Changes, by: Authorship) -> NewCommit | None:
    """The commit, ready to be published; None when the content stays the same.

    Raises NothingToCommit, SheetNotFound, SheetExists, SchemaMismatch, OperationRefused.
    """
    return await asyncio.to_thread(_compute, versions, base, changes, by)


def _compute(versions: Versions, base: Version, changes: Changes, by: Authorship) -> NewCommit | None:
    if not (changes.drop or changes.create or changes.schemas or changes.operations):
        message = Text("Send at least one operation, schema change or table.")
        raise NothingToCommit(message)
    store = versions.store(base.dataset_id)
    tables = dict(base.manifests)
    for sheet in changes.drop:
        tables.pop(_name(tables, sheet))
    for table in changes.create:
        if table.sheet in tables:
            message = Text("There is a sheet {sheet!r} already.", sheet=table.sheet)
            raise SheetExists(message)
        tables[table.sheet] = Manifest(make_schema(table.columns, table.key))
    if len(tables) > MOST_TABLES:
        message = Text("A version has at most {most_tables} tables.", most_tables=MOST_TABLES)
        raise NothingToCommit(message)
    for edit in changes.schemas:
        sheet = _name(tables, edit.sheet)
        tables[sheet] = change_schema(
            store,
            tables[sheet],
            renames=edit.rename,
            types=edit.types,
            drop=edit.drop,
            add=edit.add,
            order=edit.order,
        )
    by_sheet: dict[str, list[RowOperation]] = {}
    for item in changes.operations:
        by_sheet.setdefault(_name(tables, item.sheet), []).append(item.operation)
    for sheet, operations in by_sheet.items():
        tables[sheet] = apply_operations(store, tables[sheet], operations)
    return versions.prepare(base, tables, by)


def _name(tables: dict[str, Manifest], sheet: str | None) -> str:
    if sheet is None and len(tables) == 1:
        return next(iter(tables))
    if sheet is not None and sheet in tables:
        return sheet
    named = Text("There is no sheet {sheet!r}.", sheet=sheet) if sheet is not None else Text("Name the sheet.")
    message = Text("{named} The version has {value}.", named=named, value=", ".join(list(tables)[:20]) or "none")
    raise SheetNotFound(message, facts={"sheets": list(tables)[:1000]})
