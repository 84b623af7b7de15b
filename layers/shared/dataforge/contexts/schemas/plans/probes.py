"""Looks at live rows for what a plan would meet: values that do not fit or lose something, NULLs, duplicates, orphans.

Reads only, in a transaction that is rolled back, each question and all of them together with little time. What cannot
be looked at in time is taken for the worst when something may be lost.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import AsyncConnection

from dataforge.contexts.schemas.designs.domain.document import Hints
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import cut, literal, quoted
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk
from dataforge.contexts.schemas.plans.domain.estimates import Size, estimate
from dataforge.contexts.schemas.plans.domain.future_rows import ROW, FutureRows
from dataforge.contexts.schemas.plans.domain.plan import Finding, Plan
from dataforge.contexts.schemas.plans.domain.row_checks import Conversion, RowCheck, RowChecks, moves_rows
from dataforge.contexts.schemas.plans.proof import scratch_schema
from dataforge.kernel.texts import Text

_SECONDS = 3
_ALL_SECONDS = 12
_SAMPLES = 5
_SAMPLE_BYTES = 200
_COUNTED_BYTES = 100_000_000  # rows of larger tables are as many as PostgreSQL last counted
_SIZES = """
SELECT c.relname, c.reltuples, pg_table_size(c.oid), pg_indexes_size(c.oid)
  FROM pg_class c WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind IN ('r', 'p', 'm')
"""
_BOUNDS = """
SELECT c.relname, pg_get_partition_constraintdef(c.oid)
  FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relispartition AND c.relkind IN ('r', 'p')
"""
_ONE = {"rows": "row", "s": "s", "have": "has", "are": "is"}
_MANY = {"rows": "rows", "s": "", "have": "have", "are": "are"}
_UNKNOWN = (psycopg.ProgrammingError, psycopg.NotSupportedError)  # no such cast or operator


async def probe(
    connection: AsyncConnection[Any], plan: Plan, current: Schema, wanted: Schema, hints: Hints | None = None
) -> tuple[Plan, list[Finding]]:
    """The plan with what live rows add to its evidence, and what a person should know."""
    if not plan.up:
        return plan, []
    rows = FutureRows.of(plan, current, wanted, hints or Hints())
    async with scratch_schema(connection) as workshop:
        prober = _Prober(connection, workshop.name, plan, rows)
        await prober.prepare()
        evidence = [await prober.look(index, item) for index, item in enumerate(plan.up)]
    return replace(plan, evidence=tuple(evidence)), prober.findings


class _Prober:
    def __init__(self, connection: AsyncConnection[Any], scratch: str, plan: Plan, rows: FutureRows) -> None:
        self._connection = connection
        self._scratch = scratch
        self._plan = plan
        self._rows = rows
        self._checks = RowChecks(rows)
        self._sizes: dict[str, Size] = {}
        self._counts: dict[str, int] = {}
        self._casts: dict[Conversion, str | None] = {}
        self._deadline = time.monotonic() + _ALL_SECONDS
        self.findings: list[Finding] = []

    async def prepare(self) -> None:
        """Sizes of what is live, and the types that rows would be of."""
        rows = await (await self._connection.execute(_SIZES, [quoted(self._plan.namespace)])).fetchall()
        self._sizes = {name: Size(max(0, int(count)), table, indexes) for name, count, table, indexes in rows}
        search = f"{quoted(self._scratch)}, {quoted(self._plan.namespace)}"
        await self._connection.execute("SELECT set_config('search_path', %s, true)", [search])
        for statement in self._rows.type_statements():
            # A type over one that is new itself cannot be made here: what is asked of it stays unanswered.
            await self._rows_of(statement, fetch=False)
        await self._connection.execute(f"SET LOCAL statement_timeout = '{_SECONDS}s'")
        if any(map(moves_rows, self._plan.up)):
            self._checks = RowChecks(self._rows, await self._bounds())

    async def _bounds(self) -> dict[str, str]:
        """What the rows of each partition of the target have in common; nothing when it cannot be made here."""
        await self._connection.execute("SAVEPOINT partitions")
        try:
            for statement in self._rows.skeleton():
                await self._connection.execute(statement.encode(), binary=True)
        except psycopg.Error:
            await self._connection.execute("ROLLBACK TO SAVEPOINT partitions")
            return {}
        rows = await (await self._connection.execute(_BOUNDS, [quoted(self._scratch)])).fetchall()
        return {name: bound or "true" for name, bound in rows}

    async def look(self, index: int, item: Change) -> Any:  # noqa: ANN401 - Evidence, as replace gives it
        """The evidence of a change with what rows say."""
        seen = self._plan.seen(index)
        found: list[tuple[RowCheck, int, tuple[Mapping[str, Any], ...]]] = []
        for check in self._checks.of(item):
            found += await self._look(check, item)
        tables = self._tables(item, seen.locks)
        sizes = [self._size(name) for name in tables]
        telling = [
            (check, count, keys)
            for check, count, keys in found
            if count and not (check.conversion is not None and check.conversion.backwards)
        ]
        affected = max((count for _, count, _ in telling), default=None)
        if affected is None and found and found[0][0].code and not (seen.rewrites or seen.scans or item.writes_rows):
            affected = 0
        if affected is None and (seen.rewrites or seen.scans or item.writes_rows or item.risk is not Risk.SAFE):
            affected = sum([await self._count_all(name) for name in tables])
        return replace(
            seen,
            affected=affected,
            lost=max((count for check, count, _ in telling if check.lost), default=0),
            samples=next((keys for _, _, keys in telling if keys), ()),
            estimated_ms=estimate(item, seen, sizes),
            idle=all(
                not self._counts.get(name, 1) or size.table_bytes == 0 for name, size in zip(tables, sizes, strict=True)
            ),
        )

    # ---------------------------------------------------------------- sizes

    def _tables(self, item: Change, locked: Iterable[str]) -> list[str]:
        """The live tables that a change is about: its own, else those that it locks."""
        own = self._rows.old_name("table", "", item.table) if item.table is not None else None
        names = [own] if own is not None else list(locked)
        known = {*self._rows.current.tables, *self._rows.current.partitions}
        return [name for name in names if name in known and name in self._sizes]

    def _size(self, name: str) -> Size:
        parts = [part for part, below in self._rows.current.partitions.items() if below.parent == name]
        return sum((self._size(part) for part in parts), self._sizes.get(name, Size()))

    async def _count_all(self, name: str) -> int:
        if name not in self._counts:
            size = self._size(name)
            counted = size.rows
            if size.table_bytes <= _COUNTED_BYTES or not counted:
                exact = await self._count(f"SELECT count(*) FROM {self._rows.address(name)}")
                counted = counted if exact is None else exact
            self._counts[name] = counted
        return self._counts[name]

    # ---------------------------------------------------------------- checks

    async def _look(self, check: RowCheck, item: Change) -> list[tuple[RowCheck, int, tuple[Mapping[str, Any], ...]]]:
        """What a check finds, and before it what its cast cannot do at all."""
        found = []
        fits = None
        if check.conversion is not None:
            known = check.conversion in self._casts
            fits = await self._fits(check.source, check.conversion)
            if fits is not None and not known:
                code, message = "values_do_not_fit", "{count} {rows} hold{s} a value that does not fit"
                if check.conversion.backwards:
                    code = "way_back_fails"
                    message = Text(
                        "a way back would fail: {count} {rows} would have a value that does not fit the type of now"
                    )
                misfit = replace(
                    check,
                    conditions=(f"({check.conversion.name} IS NOT NULL AND NOT {fits})",),
                    code=code,
                    message=message,
                    blocking=not check.conversion.backwards,
                    lost=False,
                )
                found.append(await self._ask(misfit, item))
        for condition in check.conditions:
            guarded = condition if fits is None else f"CASE WHEN {fits} THEN {condition} ELSE false END"
            try:
                found.append(await self._ask(replace(check, conditions=(guarded,)), item))
            except _UNKNOWN:
                await self._connection.execute("ROLLBACK TO SAVEPOINT probe")
                continue
            break
        return found

    async def _ask(self, check: RowCheck, item: Change) -> tuple[RowCheck, int, tuple[Mapping[str, Any], ...]]:
        where = f"FROM {check.source} AS r WHERE {check.conditions[0]}"
        count = await self._count(f"SELECT count(*) {where}", unknown=True)
        keys: tuple[Mapping[str, Any], ...] = ()
        if count is None:
            if not check.lost and not check.blocking:
                return check, 0, ()
            worst = sum([await self._count_all(name) for name in self._tables(item, ())]) if check.lost else 0
            message = Text("the rows could not be looked at, or not in the time there is")
            self.findings.append(Finding("rows_unknown", item.object, message))
            return check, worst, ()
        if count and check.code:
            keys = await self._keys(check, where)
            text = check.message.format(count=count, **(_ONE if count == 1 else _MANY))
            self.findings.append(Finding(check.code, item.object, text, check.blocking, keys))
        return check, count, keys

    async def _keys(self, check: RowCheck, where: str) -> tuple[Mapping[str, Any], ...]:
        names = [name if name == ROW else quoted(name) for name in check.key]
        chosen = ", ".join(f"r.{name}::text" for name in names)
        rows = await self._rows_of(f"SELECT {chosen} {where} ORDER BY r.{names[0]} LIMIT {_SAMPLES}")
        return tuple(
            {
                name: value if value is None else cut(value, _SAMPLE_BYTES)
                for name, value in zip(check.key, row, strict=True)
            }
            for row in rows or ()
        )

    async def _fits(self, source: str, cast: Conversion) -> str | None:
        """A condition that holds where the cast works; None when it works everywhere (or nowhere can be tried)."""
        if cast not in self._casts:
            self._casts[cast] = None
            try:
                # A value that is not used would not be computed.
                await self._count(f"SELECT count(({cast.value})::text) FROM {source} AS r", unknown=True, failing=True)
            except psycopg.DataError:
                await self._connection.execute("ROLLBACK TO SAVEPOINT probe")
                self._casts[cast] = await self._make_function(cast)
            except (*_UNKNOWN, psycopg.IntegrityError):
                await self._connection.execute("ROLLBACK TO SAVEPOINT probe")
        return self._casts[cast]

    async def _make_function(self, cast: Conversion) -> str:
        """A function of the scratch schema that says whether the cast works for one row."""
        name = f"fits_{len(self._casts)}"
        body = (
            "#variable_conflict use_variable\nDECLARE result text;\nBEGIN\n"
            f"result := ({cast.value})::text; RETURN true;\n"
            "EXCEPTION WHEN data_exception THEN RETURN false;\nEND"
        )
        inputs = ", ".join(f"{quoted(column)} {kind}" for column, kind in cast.inputs)
        address = f"{quoted(self._scratch)}.{quoted(name)}"
        await self._connection.execute(
            f"CREATE FUNCTION {address}({inputs}) RETURNS boolean LANGUAGE plpgsql AS {literal(body)}".encode(),
            binary=True,
        )
        return f"{address}({', '.join(quoted(column) for column, _ in cast.inputs)})"

    # ---------------------------------------------------------------- queries

    async def _count(self, query: str, *, unknown: bool = False, failing: bool = False) -> int | None:
        rows = await self._rows_of(query, unknown=unknown, failing=failing)
        return None if rows is None else int(rows[0][0])

    async def _rows_of(
        self, query: str, *, unknown: bool = False, failing: bool = False, fetch: bool = True
    ) -> list[Any] | None:
        """The rows of a query; None when it fails or takes too long.

        With `unknown`, what the server has no cast or operator for is raised; with `failing`, what values do not allow.
        """
        if time.monotonic() > self._deadline:
            return None
        await self._connection.execute("SAVEPOINT probe")
        try:
            cursor = await self._connection.execute(query.encode(), binary=True)
            return await cursor.fetchall() if fetch else []
        except _UNKNOWN:
            if unknown:
                raise
        except psycopg.DataError:
            if failing:
                raise
        except psycopg.Error:
            pass
        await self._connection.execute("ROLLBACK TO SAVEPOINT probe")
        return None
