"""Makes the plan from the live schema of a workspace to a target: of the whole schema, or of the part that changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import AsyncConnection

from dataforge.contexts.schemas.designs.domain.document import Design, invalid_target, read_design
from dataforge.contexts.schemas.designs.domain.model import Named, Schema
from dataforge.contexts.schemas.designs.domain.names import trash_of
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.designs.unmanaged import find_unmanaged
from dataforge.contexts.schemas.plans.domain.kept import Past
from dataforge.contexts.schemas.plans.domain.old_names import by_new_names
from dataforge.contexts.schemas.plans.domain.part import Part, find_part
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.contexts.schemas.plans.domain.questions import check_questions
from dataforge.contexts.schemas.plans.domain.renames import Rename, find_renames
from dataforge.contexts.schemas.plans.domain.trash import Keeping, concerned, ids_of
from dataforge.contexts.schemas.plans.proof import PlanRefused, SchemaNotManaged, Workshop, read_kept, scratch_schema
from dataforge.kernel.texts import Text

_FILLED = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND (c.relkind = 'p' OR pg_relation_size(c.oid) > 0)
"""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The document that was deployed last, read and as it was sent, and the fingerprint of what it became."""

    design: Design
    fingerprint: str
    target: Mapping[str, Any]


async def make_plan(
    connection: AsyncConnection[Any],
    namespace: str,
    design: Design,
    before: Deployed | None = None,
    *,
    asking: bool = False,
    trash: bool = False,
    going_back: bool = False,
) -> tuple[Plan, Schema, Schema]:
    """The proved plan, the live schema and the target as PostgreSQL prints it; leaves the database as it was.

    In a schema that is as it was deployed, what the documents have in common is neither made nor looked at again.
    With `trash`, what goes is kept there and what comes again comes from there: by its stable id, or by its name when
    `going_back` to a document of the past. With `asking`, a target that leaves open what is a new name and what is a
    loss gets no plan (PossibleRename). Raises InvalidTarget, ExpressionForbidden, PlanRefused, PlanUnproved,
    SchemaNotManaged.
    """
    current = await read_schema(connection, namespace)
    if unmanaged := await find_unmanaged(connection, namespace):
        message = Text("The live schema holds what no target describes: {unmanaged}.", unmanaged=", ".join(unmanaged))
        raise SchemaNotManaged(message, facts={"unmanaged": unmanaged})
    known = () if before is None else before.design.named
    renames = find_renames(current, design.named, known)
    design = replace(design, hints=by_new_names(design.hints, renames, current))
    if asking:
        check_questions(current, design, known, renames)
    keeping = None
    if trash:
        keeping = await _keeping(connection, namespace, design, known, renames, every=going_back)
    if before is not None and before.fingerprint == current.fingerprint:
        part = find_part(current, before.design.schema, design.schema, renames)
        if not part.core:
            return _nothing(namespace, current), current, current
        found = await _plan_part(connection, namespace, design, renames, current, part, keeping)
        if found is not None:
            return found[0], current, found[1]
    plan, wanted = await _plan_whole(connection, namespace, design, renames, current, keeping)
    return plan, current, wanted


async def judge_target(connection: AsyncConnection[Any], document: object) -> Design:
    """A target that PostgreSQL takes; raises InvalidTarget with all that is wrong, ExpressionForbidden."""
    design, problems = read_design(document)
    async with scratch_schema(connection) as workshop:
        if problems:
            raise invalid_target([*problems, *await workshop.mistakes(design, problems)])
        await workshop.compile(design)
    return design


async def compile_target(connection: AsyncConnection[Any], design: Design) -> Schema:
    """The target as PostgreSQL prints it; leaves the database as it was. Raises InvalidTarget, ExpressionForbidden."""
    async with scratch_schema(connection) as workshop:
        return await workshop.compile(design)


def _nothing(namespace: str, schema: Schema) -> Plan:
    return Plan(namespace, schema.fingerprint, schema.fingerprint, (), ())


async def _plan_part(
    connection: AsyncConnection[Any],
    namespace: str,
    design: Design,
    renames: Sequence[Rename],
    current: Schema,
    part: Part,
    keeping: Keeping | None,
) -> tuple[Plan, Schema] | None:
    """The plan for a part, and the whole target; None when more than the part would be different."""
    here = part.cut(current)
    small = replace(design, schema=part.cut(design.schema))
    async with scratch_schema(connection, trash=keeping is not None) as workshop:
        filled = await _filled(connection, namespace)
        async with workshop.savepoint():
            made = await workshop.compile(small)
        if not part.holds(here, made):
            return None
        plan = await _proved(workshop, namespace, here, made, small, renames, filled, keeping)
    wanted = part.put(made, current)
    whole = replace(plan, base_fingerprint=current.fingerprint, target_fingerprint=wanted.fingerprint)
    return whole, wanted


async def _plan_whole(
    connection: AsyncConnection[Any],
    namespace: str,
    design: Design,
    renames: Sequence[Rename],
    current: Schema,
    keeping: Keeping | None,
) -> tuple[Plan, Schema]:
    async with scratch_schema(connection, trash=keeping is not None) as workshop:
        filled = await _filled(connection, namespace)
        async with workshop.savepoint():
            if current.fingerprint == Schema().fingerprint and (keeping is None or not keeping.tables.tables):
                created = await workshop.plan_creation(namespace, design)
                if created is not None:
                    return created
            wanted = await workshop.compile(design)
        if current.fingerprint == wanted.fingerprint and not renames:
            return _nothing(namespace, current), wanted
        return await _proved(workshop, namespace, current, wanted, design, renames, filled, keeping), wanted


async def _proved(
    workshop: Workshop,
    namespace: str,
    current: Schema,
    wanted: Schema,
    design: Design,
    renames: Sequence[Rename],
    filled: set[str],
    keeping: Keeping | None,
) -> Plan:
    kept = None if keeping is None else keeping.tables
    await workshop.copy(current, kept)
    try:
        return await workshop.plan(namespace, current, wanted, design, renames, filled, keeping)
    except PlanRefused:
        if not design.online:
            raise
        # Online forms come later than others may need them; the short forms keep the plain order.
        await workshop.reset()
        await workshop.copy(current, kept)
        short = replace(design, online=False)
        return await workshop.plan(namespace, current, wanted, short, renames, filled, keeping)


async def _keeping(
    connection: AsyncConnection[Any],
    namespace: str,
    design: Design,
    before: Sequence[Named],
    renames: Sequence[Rename],
    *,
    every: bool,
) -> Keeping:
    """What is in the trash, and the tables of it that the plan may touch."""
    content = tuple(await read_kept(connection, trash_of(namespace)))
    tables = Schema()
    going, coming = ids_of(before, renames), ids_of(design.named)
    past = Past(coming, design.gone, every)
    if chosen := {item.name for item in concerned(content, design.schema, renames, past)}:
        whole = await read_schema(connection, trash_of(namespace))
        tables = Schema(tables={name: table for name, table in whole.tables.items() if name in chosen})
    return Keeping(content, tables, going, design.goes_to_trash, past)


async def _filled(connection: AsyncConnection[Any], namespace: str) -> set[str]:
    """Tables with rows, or partitions that may have some."""
    return {name for (name,) in await (await connection.execute(_FILLED, [namespace])).fetchall()}
