"""Proves plans: everything is run in a scratch schema, in a transaction that is rolled back.

The target is made there and read back as PostgreSQL prints it. Then the live schema is copied there without its rows,
the plan is run on the copy, which must become the target, and the way back, which must lead to the start.
"""

import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import AsyncConnection, errors

from dataforge.contexts.schemas.designs.domain.document import Design, invalid_target
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import quoted, trash_of
from dataforge.contexts.schemas.designs.domain.rendering import Creation, create_schema, identity_names
from dataforge.contexts.schemas.designs.queries import read_kept_tables, read_schema
from dataforge.contexts.schemas.designs.safety import ExpressionForbidden, check_expressions
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Statement
from dataforge.contexts.schemas.plans.domain.diff import find_changes
from dataforge.contexts.schemas.plans.domain.evidence import Evidence, read_messages
from dataforge.contexts.schemas.plans.domain.kept import Kept, Past
from dataforge.contexts.schemas.plans.domain.partitions import filled_after
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.contexts.schemas.plans.domain.renames import Rename, inverse, order_renames, put_aside
from dataforge.contexts.schemas.plans.domain.scene import Options
from dataforge.contexts.schemas.plans.domain.trash import (
    Keeping,
    Returning,
    Trash,
    bring_tables,
    find_back,
    follow,
    in_copy,
)
from dataforge.contexts.schemas.plans.mistakes import find_mistakes
from dataforge.kernel.errors import Conflict, ValidationFailed, Violation
from dataforge.kernel.texts import Text, joined

MOST_ROUNDS = 6
STATEMENT_SECONDS = 5  # nothing here has rows: what takes longer is an expression that is computed at once
_JUDGED = "expression of the target"


async def read_kept(connection: AsyncConnection[Any], namespace: str) -> list[Kept]:
    """What plans have put into a trash, by its name; none if there is no such schema."""
    pairs = await read_kept_tables(connection, namespace)
    return [kept for name, comment in pairs if (kept := Kept.read(name, comment)) is not None]


class PlanRefused(ValidationFailed):
    """PostgreSQL refuses a statement that the target or its plan needs."""

    code = "schema_refused"
    title = "PostgreSQL refuses the change"


class PlanUnproved(Conflict):
    """The rehearsed plan did not end at the target; it is not shown."""

    code = "plan_unproved"
    title = "The plan could not be proved"


class SchemaNotManaged(Conflict):
    """The live schema holds something that plans cannot copy, so that nothing can be proved about it."""

    code = "schema_not_managed"
    title = "The schema holds what plans cannot copy"


@asynccontextmanager
async def scratch_schema(connection: AsyncConnection[Any], *, trash: bool = False) -> AsyncIterator["Workshop"]:
    """A schema to work in until the transaction is rolled back, with a trash beside it if plans use one."""
    scratch = f"shadow_{secrets.token_hex(8)}"
    try:
        await connection.execute("SET LOCAL lock_timeout = '5s'")
        await connection.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
        await connection.execute(f"CREATE SCHEMA {quoted(scratch)}")
        if trash:
            await connection.execute(f"CREATE SCHEMA {quoted(trash_of(scratch))}")
        yield Workshop(connection, scratch)
    finally:
        await connection.rollback()


class Workshop:
    """A scratch schema in which targets are made and plans are rehearsed; everything in one transaction."""

    def __init__(self, connection: AsyncConnection[Any], scratch: str) -> None:
        self._connection = connection
        self._scratch = scratch
        self._there: frozenset[str] = frozenset()
        self._home: str | None = None  # whose trash the statements name
        self._brought: dict[str, Kept] = {}  # what came back, by its name in the trash

    @property
    def name(self) -> str:
        """The scratch schema's."""
        return self._scratch

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what is done inside; `reset` comes back to here."""
        await self._connection.execute("SAVEPOINT workshop")
        yield
        await self._connection.execute("ROLLBACK TO SAVEPOINT workshop")

    async def reset(self) -> None:
        """The empty schema again."""
        await self._connection.execute("ROLLBACK TO SAVEPOINT workshop")

    async def read(self) -> Schema:
        """What is there now."""
        return await read_schema(self._connection, self._scratch)

    async def compile(self, design: Design) -> Schema:
        """Make the target in the scratch schema and read it back."""
        creations = list(create_schema(design.schema))
        if not await self._create_all(creations):
            mistakes = await find_mistakes(self._connection, design, self._scratch)
            raise invalid_target(mistakes or [Violation("", Text("PostgreSQL refuses it as a whole"), "refused")])
        wanted = await self.read()
        await check_expressions(self._connection, self._scratch, design.places)
        return wanted

    async def mistakes(self, design: Design, known: Iterable[Violation]) -> list[Violation]:
        """What PostgreSQL refuses of a target besides the problems that are known."""
        await self._search_here()
        return await find_mistakes(self._connection, design, self._scratch, known)

    async def run_texts(self, texts: Sequence[bytes]) -> list[tuple[int, psycopg.Error]]:
        """Run statements of somebody's text in the scratch schema; which were refused, by position.

        All are run at once; when one fails, each is run on its own, so that every mistake is found.
        """
        await self._search_here()
        await self._connection.execute("SAVEPOINT texts")
        try:
            async with self._connection.pipeline():
                for text in texts:
                    await self._connection.execute(text, binary=True)
        except psycopg.Error:
            await self._connection.execute("ROLLBACK TO SAVEPOINT texts")
        else:
            return []
        refused = []
        for index, text in enumerate(texts):
            await self._connection.execute("SAVEPOINT text")
            try:
                await self._connection.execute(text, binary=True)
            except psycopg.Error as error:
                refused.append((index, error))
                await self._connection.execute("ROLLBACK TO SAVEPOINT text")
            await self._connection.execute("RELEASE SAVEPOINT text")
        return refused

    def plain(self, message: str) -> str:
        """A message of PostgreSQL without the name of the scratch schema."""
        return message.replace(f"{self._scratch}.", "")

    async def copy(self, current: Schema, kept: Schema | None = None) -> None:
        """Make the live schema once more, without rows, and what of its trash is needed; raises SchemaNotManaged."""
        if kept is not None and not await self._create_all(create_schema(kept), trash_of(self._scratch)):
            message = Text("The trash of the schema cannot be copied: something else than plans has put tables there.")
            raise SchemaNotManaged(message)
        if not await self._create_all(create_schema(current)):
            message = Text("The live schema cannot be copied: it holds what the target format does not describe.")
            raise SchemaNotManaged(message)
        made = await self.read()
        if made.fingerprint != current.fingerprint:
            message = Text("The live schema holds something that a copy of it does not.")
            raise SchemaNotManaged(message)
        for sql in identity_names(made, current):
            await self._execute(sql)

    async def plan_creation(self, namespace: str, design: Design) -> tuple[Plan, Schema] | None:
        """The plan from nothing, and what it leads to: the statements are run once, which shows both.

        None when PostgreSQL refuses one of them; `compile` tells which.
        """
        options = Options(design.online)
        try:
            up, evidence = await self._run(find_changes(Schema(), design.schema, options))
        except PlanRefused:
            await self.reset()
            return None
        wanted = await self.read()
        await check_expressions(self._connection, self._scratch, design.places)
        down, _ = await self._way(wanted, Schema(), (), options, "the start")
        fingerprints = (Schema().fingerprint, wanted.fingerprint)
        return Plan(namespace, *fingerprints, tuple(up), tuple(down), tuple(evidence)), wanted

    async def plan(
        self,
        namespace: str,
        current: Schema,
        wanted: Schema,
        design: Design,
        renames: Sequence[Rename],
        filled: set[str],
        keeping: Keeping | None = None,
    ) -> Plan:
        """Rehearse the way there and back."""
        self._home = None if keeping is None else namespace
        new_names = {item.old: item.new for item in renames if item.kind in ("table", "partition")}
        here = frozenset(new_names.get(name, name) for name in filled)
        there = Options(design.online, here, design.hints)
        old_enums = {item.new: item.old for item in renames if item.kind == "enum"}
        may_have_rows = frozenset(filled_after(wanted, {*filled, *here}))
        back = Options(design.online, may_have_rows, design.hints.back(old_enums), back=True)
        coming, returning = Returning(), Returning()
        if keeping is not None:
            trash = Trash(namespace, keeping.names, ids=keeping.going, takes=keeping.takes)
            there = replace(there, trash=trash)
            coming = Returning(keeping.content, frozenset(keeping.tables.tables), keeping.past)
        up, evidence = await self._way(current, wanted, renames, there, "the target", coming)
        if keeping is not None:
            back, returning = await self._back(namespace, keeping, back)
        down, _ = await self._way(wanted, current, inverse(renames), back, "the start", returning)
        aside = put_aside(renames, order_renames(renames, current))
        old_names = tuple((item.object, item.old) for item in (*renames, *aside))
        kept = None if keeping is None else keeping.tables
        fingerprints = (current.fingerprint, wanted.fingerprint)
        states = (current, wanted)
        return Plan(namespace, *fingerprints, tuple(up), tuple(down), tuple(evidence), old_names, states, kept)

    async def _back(self, namespace: str, keeping: Keeping, options: Options) -> tuple[Options, Returning]:
        """The way back takes from the trash what the way there has put in, and puts in what that has taken."""
        kept = tuple(await read_kept(self._connection, trash_of(self._scratch)))
        names = {item.name for item in kept}
        gone = (item for item in keeping.content if item.name in keeping.tables.tables.keys() - names)
        taken = {self._back_from(item).object: item for item in gone}
        ids = {thing: item.stable_id for thing, item in taken.items() if item.stable_id is not None}
        still = keeping.names - {item.name for item in taken.values()}
        trash = Trash(namespace, still | names, ids=ids, takes=taken.__contains__)
        return replace(options, trash=trash), Returning(kept, frozenset(names - keeping.names), Past(every=True))

    def _back_from(self, item: Kept) -> Kept:
        """Something that came back, by the names that it has for the way back."""
        now = self._brought.get(item.name, item)
        return replace(item, column=now.column) if item.kind == "column" else now

    async def _way(
        self,
        start: Schema,
        end: Schema,
        renames: Sequence[Rename],
        options: Options,
        goal: str,
        returning: Returning | None = None,
    ) -> tuple[list[Change], list[Evidence]]:
        done: list[Change] = []
        evidence: list[Evidence] = []
        self._there = names_there(start, renames)
        ordered = order_renames(renames, start)
        aside = {(*step.path, step.new): step.old for step in put_aside(renames, ordered)}
        options = replace(options, asides=aside)
        steps = [
            Change(f"rename {step.kind}", step.object, (Statement(step.sql),), -1, lock="ACCESS EXCLUSIVE")
            for step in ordered
        ]
        if options.trash is not None and returning is not None:
            steps += follow(options.trash, returning.content, renames)
        for turn in range(MOST_ROUNDS):
            known, seen = await self._run_phases(steps)
            done += known
            evidence += seen
            here = await self.read()
            if here.fingerprint == end.fingerprint:
                return done, evidence
            if turn == 0 and options.trash is not None and returning is not None and returning.names:
                items = [item.renamed(renames) for item in returning.content if item.name in returning.names]
                back = find_back(items, here, end, returning.past)
                trash = replace(options.trash, back=back, past=returning.past)
                options = replace(options, trash=trash)
                self._brought = {item.name: item for item in back.values()}
                known, seen = await self._run(bring_tables(trash, here, end))
                done += known
                evidence += seen
                here = await self.read() if known else here
            steps = _from(done, find_changes(here, end, options))
            if not steps:
                break
        message = Text("The rehearsed plan did not lead to {goal}; nothing was planned.", goal=goal)
        raise PlanUnproved(message, facts={"left": [f"{item.op} {item.object}" for item in steps]})

    async def _judge(self, query: str, step: Change) -> None:
        """Judge an expression that is run and not kept, in the state in which it is run, as if a view held it."""
        await self._connection.execute("SAVEPOINT judgement")
        try:
            await self._execute(f"CREATE VIEW {quoted(_JUDGED)} AS {query}")
        except psycopg.Error as error:
            raise _refused_step(error, step) from error
        try:
            await check_expressions(self._connection, self._scratch)
        except ExpressionForbidden as error:
            message = joined([f"{step.op} {step.object}", error.detail], ": ")
            raise ExpressionForbidden(message, facts={"object": step.object}) from error
        await self._connection.execute("ROLLBACK TO SAVEPOINT judgement")

    async def _run_phases(self, steps: Sequence[Change]) -> tuple[list[Change], list[Evidence]]:
        """Run changes; new values of enums as if they were committed before the rest, which may use them."""
        values = [item for item in steps if item.phase is Phase.ENUM_VALUES]
        rest = [item for item in steps if item.phase is not Phase.ENUM_VALUES]
        if not values or not rest:
            return await self._run(steps)
        done, evidence = await self._run(values)
        here = await self.read()
        kept = None if self._home is None else await read_schema(self._connection, trash_of(self._scratch))
        await self.reset()
        await self.copy(here, kept)
        more, seen = await self._run(rest)
        return done + more, evidence + seen

    async def _run(self, steps: Iterable[Change]) -> tuple[list[Change], list[Evidence]]:
        """Run changes one after the other and watch what PostgreSQL says it does."""
        found: list[Change] = []
        evidence: list[Evidence] = []
        seen: list[str] = []

        def listen(diagnostic: psycopg.errors.Diagnostic) -> None:
            seen.append(diagnostic.message_primary or "")

        await self._search_here()
        await self._connection.execute("SET LOCAL client_min_messages = debug1")
        self._connection.add_notice_handler(listen)
        try:
            for step in steps:
                seen.clear()
                statements = tuple([await self._rehearse_statement(item, step) for item in step.statements])
                found.append(replace(step, statements=statements))
                evidence.append(read_messages(seen, self._there))
        finally:
            self._connection.remove_notice_handler(listen)
        await self._connection.execute("SET LOCAL client_min_messages = warning")
        return found, evidence

    async def _rehearse_statement(self, statement: Statement, step: Change) -> Statement:
        sql = statement.sql if statement.rehearsal is None else statement.rehearsal
        if not sql:
            return statement
        if self._home is not None:
            sql = in_copy(sql, self._home, self._scratch)
        if statement.judged is not None:
            await self._judge(statement.judged, step)
        if statement.instead is not None:
            await self._connection.execute("SAVEPOINT attempt")
        try:
            await self._execute(sql)
        except (errors.CannotCoerce, errors.DatatypeMismatch) as error:
            if statement.instead is None:
                raise _refused_step(error, step) from error
            await self._connection.execute("ROLLBACK TO SAVEPOINT attempt")
            return await self._rehearse_statement(Statement(statement.instead), step)
        except psycopg.Error as error:
            raise _refused_step(error, step) from error
        return statement

    async def _create_all(self, creations: Iterable[Creation], place: str | None = None) -> bool:
        """Run all without waiting for each answer; whether all went well, and as if nothing was run otherwise."""
        await self._search_here(place)
        await self._connection.execute("SAVEPOINT creations")
        try:
            async with self._connection.pipeline():
                for creation in creations:
                    await self._execute(creation.sql)
        except psycopg.Error:
            await self._connection.execute("ROLLBACK TO SAVEPOINT creations")
            return False
        return True

    async def _search_here(self, place: str | None = None) -> None:
        await self._connection.execute(f"SET LOCAL search_path TO {quoted(place or self._scratch)}")

    async def _execute(self, sql: str) -> None:
        # Binary results make the driver use the extended protocol, which takes one statement and no more.
        await self._connection.execute(sql.encode(), binary=True)


def names_there(start: Schema, renames: Iterable[Rename]) -> frozenset[str]:
    """The names, old and new, of what has rows before a plan begins."""
    kept = {name for name, view in start.views.items() if view.materialized}
    names = {*start.tables, *start.partitions, *kept}
    return frozenset(names | {item.new for item in renames if item.old in names and not item.path})


def _from(done: Sequence[Change], steps: list[Change]) -> list[Change]:
    """Later rounds come after what was done, within the last phase that was reached."""
    reached = max((item.phase for item in done if item.rank >= 0), default=None)
    if reached is None or reached is Phase.CHANGE:
        return steps
    return [replace(item, phase=Phase(max(item.phase, Phase.FINISH))) for item in steps]


def _refused_step(error: psycopg.Error, step: Change) -> PlanRefused:
    message = Text(
        "{op} {given}: PostgreSQL refuses it: {message_primary}.",
        op=step.op,
        given=step.object,
        message_primary=error.diag.message_primary,
    )
    return PlanRefused(message, facts={"sqlstate": error.sqlstate, "object": step.object})
