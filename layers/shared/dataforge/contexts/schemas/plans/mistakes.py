"""Finds everything in a target that PostgreSQL refuses, each with the JSON pointer of its place.

Statements that make several things at once are taken apart until it is known which member is refused. What a refused
thing makes impossible for others is no mistake of theirs.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import AsyncConnection, errors

from dataforge.contexts.schemas.designs.domain.document import Design
from dataforge.contexts.schemas.designs.domain.model import Column, Constraint, Table
from dataforge.contexts.schemas.designs.domain.names import mentions
from dataforge.contexts.schemas.designs.domain.rendering import Creation, create_schema, create_table, split_constraints
from dataforge.kernel.errors import Violation
from dataforge.kernel.texts import Text

MOST = 100
_PLAIN: dict[str, Any] = {"default": None, "generated": None, "identity": None, "collation": None}
# Undefined tables, columns, objects and schemas: perhaps what was refused before is missing. Undefined functions and
# operators: perhaps a column has a type that stands in for the one that was refused.
_MISSING = frozenset({"42P01", "42703", "42704", "3F000"})
_FOLLOWING = _MISSING | {"42883"}


async def find_mistakes(
    connection: AsyncConnection[Any], design: Design, scratch: str, known: Iterable[Violation] = ()
) -> list[Violation]:
    """What PostgreSQL refuses of a target that is made in the schema on the search path.

    Of a target with `known` problems, nothing is said that may come from what is missing.
    """
    finder = _Finder(connection, design, scratch, {item.pointer for item in known})
    for creation in create_schema(design.schema):
        await finder.make(creation)
        if len(finder.found) >= MOST or finder.out_of_time:
            break
    return finder.found


class _Finder:
    def __init__(self, connection: AsyncConnection[Any], design: Design, scratch: str, known: set[str]) -> None:
        self.found: list[Violation] = []
        self.out_of_time = False  # one that took too long is enough to wait for
        self._connection = connection
        self._design = design
        self._scratch = scratch
        self._partly = bool(known)
        at = known | {pointer.rpartition("/")[0] for pointer in known}
        self._broken = {_last_name(thing) for thing, place in design.places.items() if place in at}

    async def make(self, creation: Creation) -> None:
        """Run a statement; when it is refused, find out what about it."""
        error = await self._attempt(creation.sql)
        if error is None:
            return
        kind, _, name = creation.thing.partition(" ")
        if kind == "table":
            await self._take_apart(self._design.schema.tables[name], error)
        elif not self._follows(error, creation.sql):
            self._broken.add(_last_name(creation.thing))
            await self._report(creation.thing, await self._member(kind, name), error)

    async def _attempt(self, sql: str, *, keep: bool = True) -> psycopg.Error | None:
        await self._connection.execute("SAVEPOINT mistake")
        try:
            await self._connection.execute(sql.encode(), binary=True)
        except psycopg.Error as error:
            await self._connection.execute("ROLLBACK TO SAVEPOINT mistake")
            self.out_of_time |= isinstance(error, errors.QueryCanceled)
            return error
        if not keep:
            await self._connection.execute("ROLLBACK TO SAVEPOINT mistake")
        await self._connection.execute("RELEASE SAVEPOINT mistake")
        return None

    def _follows(self, error: psycopg.Error, sql: str) -> bool:
        """Whether what was refused before may be why this is."""
        if self._partly and error.sqlstate in _MISSING:
            return True
        return error.sqlstate in _FOLLOWING and any(mentions(sql, name) for name in self._broken)

    async def _report(self, thing: str, member: str, error: psycopg.Error) -> None:
        place = self._design.places.get(thing, "")
        if not place and thing.startswith("constraint "):
            place = self._design.places.get(f"table {thing.removeprefix('constraint ').partition('.')[0]}", "")
        words = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint]
        said = "; ".join(word.rstrip(".").replace(f"{self._scratch}.", "") for word in words if word)
        self.found.append(Violation(place + member, Text("PostgreSQL refuses it: {said}", said=said), "refused"))

    async def _member(self, kind: str, name: str) -> str:
        """The member of a thing that is refused, as far as that is plain."""
        if kind == "view":
            options = self._design.schema.views[name].options
            return "/options" if options and not await self._refused_query(name) else "/query"
        if kind == "constraint":
            table, _, constraint = name.partition(".")
            item = self._design.schema.tables.get(table)
            checked = item is not None and item.constraints[constraint].kind == "c"
            return "/expr" if checked else ""
        return {"partition": "/bound"}.get(kind, "")

    async def _refused_query(self, name: str) -> bool:
        query = self._design.schema.views[name].query
        return await self._attempt(f'CREATE VIEW "mistaken view" AS {query}', keep=False) is not None

    async def _take_apart(self, table: Table, error: psycopg.Error) -> None:
        """Find the columns, constraints and options of a table that are refused; what is left of it is made."""
        before = len(self.found)
        columns, plain = {}, self._bare(table)
        refused = await self._attempt(_creation(replace(plain, columns=table.columns), ()), keep=False) is not None
        for column in table.columns.values():
            good = not refused or await self._try_column(column, plain)
            columns[column.name] = column if good else replace(column, type="text", **_PLAIN)
        kept = replace(plain, columns=columns)
        for member, changed in (
            ("/options", {"options": table.options}),
            ("/partitionBy", {"partition_by": table.partition_by}),
        ):
            if any(changed.values()):
                trial = replace(kept, **changed)
                wrong = await self._attempt(_creation(trial, ()), keep=False)
                if wrong is None:
                    kept = trial
                elif not self._follows(wrong, _creation(trial, ())):
                    await self._report(f"table {table.name}", member, wrong)
        inline, _ = split_constraints(table)
        constraints = [item for item in inline if await self._try_constraint(item, kept)]
        if len(self.found) == before and not self._follows(error, _creation(table, inline)):
            await self._report(f"table {table.name}", "", error)
        if await self._attempt(_creation(kept, constraints)) is not None:
            self._broken.add(table.name)

    @staticmethod
    def _bare(table: Table) -> Table:
        return replace(table, columns={}, constraints={}, options=(), partition_by=None)

    async def _try_column(self, column: Column, plain: Table) -> bool:
        """Whether a column is taken; when it is not, the member that is refused is reported."""
        others = {}
        if column.generated is not None:  # it reads others, which need their names and types only
            table = self._design.schema.tables[plain.name]
            for item in table.columns.values():
                alone = replace(item, nullable=True, **_PLAIN)
                if item.name != column.name and await self._alone(alone, plain) is None:
                    others[item.name] = alone
        trial = replace(plain, columns={**others, column.name: column})
        error = await self._attempt(_creation(trial, ()), keep=False)
        if error is None:
            return True
        if self._follows(error, f"{column.type} {column.generated}"):
            self._broken.add(column.name)
            return False
        self._broken.add(column.name)
        await self._report(f"column {plain.name}.{column.name}", await self._column_member(column, trial), error)
        return False

    async def _alone(self, column: Column, plain: Table) -> psycopg.Error | None:
        return await self._attempt(_creation(replace(plain, columns={column.name: column}), ()), keep=False)

    async def _column_member(self, column: Column, trial: Table) -> str:
        if await self._alone(replace(column, **_PLAIN), trial) is not None:
            return "/dataType"
        for member in ("default", "generated", "identity", "collation"):
            nothing: dict[str, Any] = {member: None}
            without = replace(column, **nothing)
            if getattr(column, member) is not None:
                wrong = _creation(replace(trial, columns={**trial.columns, column.name: without}), ())
                if await self._attempt(wrong, keep=False) is None:
                    return f"/{member}"
        return ""

    async def _try_constraint(self, item: Constraint, table: Table) -> bool:
        sql = _creation(table, (item,))
        error = await self._attempt(sql, keep=False)
        if error is None:
            return True
        if not self._follows(error, item.definition):
            key = f"constraint {table.name}.{item.name}"
            member = {"c": "/expr", "p": "/primaryKey"}.get(item.kind, "")
            await self._report(key, member, error)
        return False


def _last_name(thing: str) -> str:
    return thing.partition(" ")[2].rpartition(".")[2]


def _creation(table: Table, constraints: Iterable[Constraint]) -> str:
    return create_table(table, constraints)
