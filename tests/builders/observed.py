"""An observer of SQL: what statements lock, rewrite and read on a server with rows, and what becomes of values.

It knows nothing of plans: it is the truth that the risks of plans are compared with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

_ORDER = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
]
_FILES = """
SELECT c.relname, c.oid, c.relfilenode FROM pg_class c
 WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p', 'm')
"""
_LOCKS = """
SELECT l.relation, l.mode FROM pg_locks l
 WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation = ANY(%s) AND l.granted
"""
_READ = "SELECT relid FROM pg_stat_xact_all_tables WHERE relid = ANY(%s) AND seq_tup_read > 0"


@dataclass(frozen=True)
class Seen:
    """What a group of statements did to tables that were there before the first of them."""

    rewritten: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    locks: dict[str, str] = field(default_factory=dict)

    @property
    def strongest(self) -> str | None:
        return max(self.locks.values(), key=_ORDER.index, default=None)

    @property
    def reads_and_stops_writers(self) -> bool:
        return any(_ORDER.index(self.locks.get(name, _ORDER[0])) >= _ORDER.index("ShareLock") for name in self.read)


class Observer:
    """Watches groups of statements in a schema."""

    def __init__(self, connection: "psycopg.AsyncConnection[Any]", namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace
        self._names: dict[int, str] = {}
        self._files: dict[int, int] = {}

    async def begin(self) -> None:
        """Remember what is there."""
        for name, oid, file in await self._rows(_FILES, [self._namespace]):
            self._names[oid], self._files[oid] = name, file
        await self._connection.commit()

    async def watch(self, statements: Sequence[str], *, alone: bool) -> Seen:
        """Run statements in one transaction, or each in none."""
        await self._connection.set_autocommit(alone)
        try:
            await self._rows(
                "SELECT set_config('search_path', %s, false), pg_stat_force_next_flush()", [self._namespace]
            )
            if not alone:
                await self._connection.commit()
            for statement in statements:
                await self._connection.execute(statement.encode(), binary=True)
            oids = list(self._names)
            locks: dict[str, str] = {}
            for oid, mode in [] if alone else await self._rows(_LOCKS, [oids]):
                name = self._names[oid]
                locks[name] = max(locks.get(name, mode), mode, key=_ORDER.index)
            read = {self._names[oid] for (oid,) in await self._rows(_READ, [oids])}
            rewritten = set()
            for _, oid, file in await self._rows(_FILES, [self._namespace]):
                if oid in self._names and self._files[oid] != file:
                    rewritten.add(self._names[oid])
                    self._files[oid] = file
            if not alone:
                await self._connection.commit()
        finally:
            await self._connection.rollback()
            await self._connection.set_autocommit(False)
        return Seen(frozenset(rewritten), frozenset(read), locks)

    async def values(self) -> dict[str, dict[str, tuple[str, list[str | None]]]]:
        """Of each table and column the type and all values as text, in the order of the first column."""
        found: dict[str, dict[str, tuple[str, list[str | None]]]] = {}
        query = """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum
        """
        await self._rows("SELECT set_config('search_path', %s, false)", [self._namespace])
        for table, column, kind in await self._rows(query, [self._namespace]):
            rows = await self._rows(f'SELECT "{column}"::text FROM "{table}" ORDER BY 1', [])
            found.setdefault(table, {})[column] = (kind, sorted((row[0] for row in rows), key=str))
        await self._connection.commit()
        return found

    async def as_before(self, table: str, column: str, kind: str) -> list[str | None] | None:
        """The values of a column in the type they had before; None when nothing leads there."""
        try:
            rows = await self._rows(f'SELECT ("{column}"::{kind})::text FROM "{table}"', [])
        except psycopg.Error:
            await self._connection.rollback()
            return None
        await self._connection.commit()
        return sorted((row[0] for row in rows), key=str)

    async def _rows(self, query: str, values: Iterable[Any]) -> list[Any]:
        cursor = await self._connection.execute(query.encode(), list(values))
        return await cursor.fetchall()


async def has_lost(observer: Observer, before: dict[str, Any], names: dict[str, str]) -> bool:
    """Whether a value that was there is not there any more; `names` are old names by new ones (`t`, `t.c`)."""
    after = await observer.values()
    new_tables = {names.get(name, name): name for name in after}
    for table, columns in before.items():
        here = new_tables.get(table)
        new_columns = {names.get(f"{here}.{name}", name): name for name in after.get(here or "", {})}
        for column, (kind, values) in columns.items():
            filled = [value for value in values if value is not None]
            if not filled:
                continue
            if here is None or column not in new_columns:
                return True
            name = new_columns[column]
            now = after[here][name][1]
            if now == values:
                continue
            back = await observer.as_before(here, name, kind)
            if back is None or [value for value in back if value is not None] != filled:
                # NULLs that were filled are no loss.
                gained = len([value for value in values if value is None])
                if back is None or not gained or any(value not in back for value in filled):
                    return True
    return False
