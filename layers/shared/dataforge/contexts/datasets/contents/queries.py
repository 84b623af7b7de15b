"""Pages, schemas, statistics and row history of a version."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.commits.domain import SheetNotFound
from dataforge.contexts.datasets.commits.queries import first_parents
from dataforge.contexts.datasets.commits.versions import Version, Versions
from dataforge.contexts.datasets.contents.repository import keep_statistics, known_statistics
from dataforge.kernel.clock import Clock
from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused
from versioned_tables.format.manifest import Manifest
from versioned_tables.read.filters import Filter, parse_filter
from versioned_tables.read.pages import Page, PageRequest, read_page, row_history
from versioned_tables.read.statistics import table_statistics
from versioned_tables.schema.columns import TableSchema

MOST_FILTER = 50_000
HISTORY_COMMITS = 2000
HISTORY_CHANGES = 200


def filter_of(text: str | None) -> Filter | None:
    """The filter of a query parameter, which is JSON; raises FilterRefused."""
    if text is None:
        return None
    try:
        return parse_filter(json.loads(text))
    except (ValueError, RecursionError) as error:
        message = Text('The filter is not JSON. Example: {"column": "age", "op": "gte", "value": 18}.')
        raise FilterRefused(message) from error


async def data_page(versions: Versions, version: Version, sheet: str, request: PageRequest) -> Page:
    """One page of a sheet; raises FilterRefused."""
    store = versions.store(version.dataset_id)
    return await asyncio.to_thread(read_page, store, version.tables[sheet].manifest, request)


def schema_json(schema: TableSchema) -> dict[str, Any]:
    """A schema for people: columns in order with ids, and the key by names."""
    return {
        "columns": [
            {"id": column.id, "name": column.name, "type": column.type, "nullable": column.nullable}
            for column in schema.columns
        ],
        "key": [column.name for column in schema.key_columns],
    }


def _signature(schema: TableSchema) -> str:
    return hashlib.sha256(json.dumps(schema.content_json(), sort_keys=True).encode()).hexdigest()


async def statistics_of(versions: Versions, version: Version, sheet: str, clock: Clock) -> dict[str, Any]:
    """Statistics of a sheet; computed once per content and schema, then read."""
    manifest = version.tables[sheet].manifest
    signature = _signature(manifest.schema)
    async with versions.database.read_only() as connection:
        known = await known_statistics(connection, version.dataset_id, manifest.digest, signature)
    if known is not None:
        return known
    made = await asyncio.to_thread(table_statistics, versions.store(version.dataset_id), manifest)
    async with versions.database.transaction() as connection:
        await keep_statistics(connection, version.dataset_id, manifest.digest, signature, made, clock.now())
    return made


async def history_of_row(
    versions: Versions, dataset_id: UUID, start: str, sheet: str, key: Sequence[object]
) -> list[dict[str, Any]]:
    """The commits that changed the row with this key, newest first, along first parents.

    Raises SheetNotFound; FilterRefused for a table without a key; OperationRefused for a value that fits no key.
    """
    async with versions.database.read_only() as connection:
        line = await first_parents(connection, dataset_id, start, sheet, limit=HISTORY_COMMITS)
        if not line or line[0]["manifest_id"] is None:
            message = Text("There is no sheet {sheet!r} in this version.", sheet=sheet)
            raise SheetNotFound(message)
        steps = [
            commit
            for at, commit in enumerate(line)
            if at + 1 == len(line) or commit["leaves_sha256"] != line[at + 1]["leaves_sha256"]
        ][: HISTORY_CHANGES + 1]
        ids = [commit["manifest_id"] for commit in steps if commit["manifest_id"] is not None]
        decoded = await versions.manifests(connection, dataset_id, ids)
    newest = decoded[ids[0]][1]
    absent = Manifest(newest.schema)
    known = [
        (step["commit_id"], absent if step["manifest_id"] is None else decoded[step["manifest_id"]][1])
        for step in steps
    ]
    store = versions.store(dataset_id)
    found = await asyncio.to_thread(row_history, store, known, key)
    commits = {commit["commit_id"]: commit for commit in line}
    return [
        {
            "commit_id": item.commit_id,
            "kind": item.kind,
            "data": item.data,
            "message": commits[item.commit_id]["message"],
            "author_id": commits[item.commit_id]["author_id"],
            "created_at": commits[item.commit_id]["committed_at"],
        }
        for item in found
    ]
