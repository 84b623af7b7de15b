"""Looks at live rows for what a plan would meet: values that do not fit, NULLs, duplicates, orphans, rows that go.

Reads only, each question with little time: one that takes longer is answered by the size of the table.
"""

from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection

from dataforge.contexts.schemas.designs.domain.model import Constraint, Schema
from dataforge.contexts.schemas.designs.domain.names import literal, quoted
from dataforge.contexts.schemas.plans.domain.changes import Change, Risk
from dataforge.contexts.schemas.plans.domain.plan import Finding, Plan

_SECONDS = "3s"


async def probe(
    connection: AsyncConnection[Any], plan: Plan, current: Schema, wanted: Schema
) -> tuple[list[Finding], dict[int, int]]:
    """What was found, and by position of a change how many rows it concerns."""
    prober = _Prober(connection, plan, current, wanted)
    try:
        await connection.execute(f"SET LOCAL statement_timeout = '{_SECONDS}'")
        await connection.execute("SELECT set_config('search_path', %s, true)", [quoted(plan.namespace)])
        for index, item in enumerate(plan.up):
            await prober.look(index, item)
    finally:
        await connection.rollback()
    return prober.findings, prober.affected


class Question(NamedTuple):
    """Rows to count (all without a condition) and, if it says something when there are some, what."""

    condition: str
    code: str = ""
    message: str = ""
    blocking: bool = False


class _Prober:
    def __init__(self, connection: AsyncConnection[Any], plan: Plan, current: Schema, wanted: Schema) -> None:
        self._connection = connection
        self._current = current
        self._wanted = wanted
        self._old = dict(plan.old_names)
        self.findings: list[Finding] = []
        self.affected: dict[int, int] = {}

    async def look(self, index: int, item: Change) -> None:
        table = self._old.get(f"table {item.table}", item.table)
        if table is None or table not in self._current.tables:
            return
        where = self._question(item, table)
        if where is None:
            return
        count = await self._count(f"SELECT count(*) FROM {quoted(table)}{where.condition}")
        if count is None:
            return
        self.affected[index] = count
        if count and where.code:
            text = where.message.format(count=count, rows="row" if count == 1 else "rows")
            self.findings.append(Finding(where.code, item.object, text, where.blocking))

    def _question(self, item: Change, table: str) -> Question | None:
        """What to count for a change, and what it means when there are some."""
        column = self._old.get(f"column {item.table}.{item.column}", item.column)
        name = quoted(column) if column and column in self._current.tables[table].columns else ""
        wanted = self._wanted.tables.get(item.table or "")
        found: Question | None = None
        if item.op in ("drop table", "drop partition"):
            found = Question("", "rows_lost", "{count} {rows} would be deleted")
        elif item.op == "drop column" and name:
            found = Question(f" WHERE {name} IS NOT NULL", "values_lost", "{count} {rows} would lose a value")
        elif item.probe == "rows":
            found = Question(
                "", "rows_without_value", "{count} {rows} would have no value for a NOT NULL column", blocking=True
            )
        elif item.probe == "nulls" and name:
            found = Question(f" WHERE {name} IS NULL", "nulls", "{count} {rows} are NULL", blocking=True)
        elif item.probe == "cast" and name and wanted is not None:
            kind = wanted.columns[item.column or ""].type
            misfit = f" WHERE {name} IS NOT NULL AND NOT pg_input_is_valid({name}::text, {literal(kind)})"
            found = Question(misfit, "values_do_not_fit", "{count} {rows} hold values that are not valid as " + kind)
        elif item.op.startswith("add ") and item.object.startswith("constraint ") and wanted is not None:
            added = wanted.constraints.get(item.object.removeprefix(f"constraint {item.table}."))
            found = None if added is None else self._violations(added, wanted.name, table)
        elif item.risk in (Risk.REWRITING, Risk.LOCKING):
            found = Question("")
        return found

    def _violations(self, added: Constraint, new_table: str, table: str) -> Question | None:
        columns = [self._old.get(f"column {new_table}.{name}", name) for name in added.columns]
        live = self._current.tables[table].columns
        if not columns or any(name not in live for name in columns):
            return None
        names, here = [quoted(name) for name in columns], quoted(table)
        if added.kind in "pu":
            same = " AND ".join(f"t.{name} = {here}.{name}" for name in names)
            twice = f" WHERE EXISTS (SELECT 1 FROM {here} t WHERE {same} AND t.ctid <> {here}.ctid)"
            return Question(twice, "duplicates", "{count} {rows} have the same key as another", blocking=True)
        if added.kind == "f":
            return self._orphans(added, names, here)
        if added.kind == "c" and columns == list(added.columns):
            inner = added.definition.removeprefix("CHECK ").removesuffix(" NO INHERIT")
            return Question(f" WHERE NOT {inner}", "check_violated", "{count} {rows} break the check", blocking=True)
        return None

    def _orphans(self, added: Constraint, names: list[str], here: str) -> Question | None:
        other = self._old.get(f"table {added.references}", added.references or "")
        there = [self._old.get(f"column {added.references}.{name}", name) for name in added.reference_columns]
        known = self._current.tables.get(other)
        if known is None or any(name not in known.columns for name in there):
            return None
        pairs = zip(there, names, strict=True)
        match = " AND ".join(f"o.{quoted(theirs)} = {here}.{ours}" for theirs, ours in pairs)
        given = " AND ".join(f"{name} IS NOT NULL" for name in names)
        orphans = f" WHERE {given} AND NOT EXISTS (SELECT 1 FROM {quoted(other)} o WHERE {match})"
        return Question(orphans, "orphans", "{count} {rows} refer to nothing", blocking=True)

    async def _count(self, query: str) -> int | None:
        await self._connection.execute("SAVEPOINT probe")
        try:
            rows = await (await self._connection.execute(query.encode())).fetchall()
        except psycopg.Error:
            await self._connection.execute("ROLLBACK TO SAVEPOINT probe")
            return None
        return int(rows[0][0])
