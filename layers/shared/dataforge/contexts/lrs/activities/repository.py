"""Merged definitions in PostgreSQL."""

import hashlib
import time
from collections.abc import Mapping
from datetime import datetime

import orjson
from cachetools import TTLCache
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.activities.domain import ActivityDefinition
from dataforge.contexts.lrs.statements.domain import read_json, to_json
from dataforge.platform.db.refusals import refused
from dataforge.platform.observability import logger

# How long a process takes a definition for merged without looking: another one may have merged a newer.
SEEN_SECONDS = 60.0
MOST_SEEN = 10_000

_READ = "SELECT activity_id, definition::text AS definition, stored_at FROM lrs.activities WHERE id = ANY(:ids)"
_ADD = text(
    "INSERT INTO lrs.activities (id, activity_id, definition, stored_at) "
    "SELECT sha256(convert_to(r.activity_id, 'UTF8')), r.activity_id, r.definition, r.stored_at "
    "FROM json_to_recordset(CAST(:rows AS json)) AS r (activity_id text, definition jsonb, stored_at timestamptz) "
    "ORDER BY 1 ON CONFLICT DO NOTHING RETURNING activity_id"
)
_CHANGE = text(
    "UPDATE lrs.activities a SET definition = r.definition, stored_at = r.stored_at "
    "FROM json_to_recordset(CAST(:rows AS json)) AS r (activity_id text, definition jsonb, stored_at timestamptz) "
    "WHERE a.id = sha256(convert_to(r.activity_id, 'UTF8'))"
)


async def read_definitions(
    connection: AsyncConnection, activity_ids: list[str], *, lock: bool = False
) -> dict[str, ActivityDefinition]:
    """What is known of the activities, by id."""
    query = f"{_READ} ORDER BY id FOR UPDATE" if lock else _READ
    rows = await connection.execute(text(query), {"ids": [_key(activity_id) for activity_id in activity_ids]})
    return {row.activity_id: _definition(row.definition, row.stored_at) for row in rows}


async def merge_definitions(connection: AsyncConnection, given: Mapping[str, ActivityDefinition]) -> None:
    """Merge the definitions into what is known; what says nothing new is read only, and rows are locked in order."""
    if not given:
        return
    known = await read_definitions(connection, list(given))
    news = _news(known, given)
    absent = {activity_id: item for activity_id, item in news.items() if activity_id not in known}
    added = set[str]()
    if absent:
        added = set((await connection.execute(_ADD, {"rows": _rows(absent)})).scalars())
    rest = {activity_id: item for activity_id, item in news.items() if activity_id not in added}
    if rest:
        changed = _news(await read_definitions(connection, list(rest), lock=True), rest)
        if changed:
            await connection.execute(_CHANGE, {"rows": _rows(changed)})


async def merge_acceptable(connection: AsyncConnection, given: Mapping[str, ActivityDefinition]) -> None:
    """Merge the definitions unless the database refuses a value in them: the statement itself is kept in any case."""
    if not given:
        return
    try:
        async with connection.begin_nested():
            await merge_definitions(connection, given)
    except Exception as error:
        if not refused(error):
            raise
        logger.warning("definitions refused", exc_info=True, activities=len(given))


def _news(
    known: Mapping[str, ActivityDefinition], given: Mapping[str, ActivityDefinition]
) -> dict[str, ActivityDefinition]:
    news = {}
    for activity_id, item in given.items():
        before = known.get(activity_id)
        after = item if before is None else before.merged(item)
        if before is None or after.definition != before.definition:
            news[activity_id] = after
    return news


class SeenDefinitions:
    """Definitions that this process has merged lately: most senders repeat the same ones with every statement."""

    def __init__(self) -> None:
        self._seen: TTLCache[str, bytes] = TTLCache(MOST_SEEN, SEEN_SECONDS, timer=time.monotonic)

    def unseen(self, given: Mapping[str, ActivityDefinition]) -> dict[str, ActivityDefinition]:
        """Those that are to be merged."""
        return {name: item for name, item in given.items() if self._seen.get(name) != _content(item)}

    def add(self, given: Mapping[str, ActivityDefinition]) -> None:
        """They are merged."""
        for name, item in given.items():
            self._seen[name] = _content(item)


def _content(item: ActivityDefinition) -> bytes:
    return hashlib.sha256(to_json(item.definition)).digest()


def _key(activity_id: str) -> bytes:
    return hashlib.sha256(activity_id.encode()).digest()


def _definition(body: str, stored_at: datetime) -> ActivityDefinition:
    found = read_json(body)
    return ActivityDefinition(found if isinstance(found, dict) else {}, stored_at)


def _rows(items: Mapping[str, ActivityDefinition]) -> str:
    rows = [
        {
            "activity_id": name,
            "definition": orjson.Fragment(to_json(item.definition)),
            "stored_at": item.stored_at,
        }
        for name, item in sorted(items.items())
    ]
    return to_json(rows).decode()
