"""Direct commits: new tables, schema changes and row operations on top of one commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from dataforge.contexts.datasets.domain.commits import NewCommit
from dataforge.contexts.datasets.domain.sheets import SheetNotFound
from dataforge.contexts.datasets.services.versions import (
    MOST_TABLES,
    Authorship,
    Version,
    Versions,
)
from dataforge.kernel.errors import AlreadyExists, BadRequest
from versioned_tables.format.manifest import Manifest
from versioned_tables.schema.columns import make_schema
from versioned_tables.write.operations import RowOperation, apply_operations, change_schema


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
        message = "Send at least one operation, schema change or table."
        raise NothingToCommit(message)
    store = versions.store(base.dataset_id)
    tables = dict(base.manifests)
    for sheet in changes.drop:
        tables.pop(_name(tables, sheet))
    for table in changes.create:
        if table.sheet in tables:
            message = f"There is a sheet {table.sheet!r} already."
            raise SheetExists(message)
        tables[table.sheet] = Manifest(make_schema(table.columns, table.key))
    if len(tables) > MOST_TABLES:
        message = f"A version has at most {MOST_TABLES} tables."
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
    named = f"There is no sheet {sheet!r}." if sheet is not None else "Name the sheet."
    message = f"{named} The version has {', '.join(list(tables)[:20]) or 'none'}."
    raise SheetNotFound(message, facts={"sheets": list(tables)[:1000]})
