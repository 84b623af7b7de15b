"""What is different between two states of a schema: of two revisions, or of a revision and the schema as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from dataforge.contexts.schemas.deployments.queries import latest_revision, targets_since
from dataforge.contexts.schemas.designs.domain.document import Design, parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.designs.representations import Drawn
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.domain.comparison import Comparison, compare_schemas
from dataforge.contexts.schemas.plans.domain.plan import script
from dataforge.contexts.schemas.plans.domain.renames import Rename, find_renames, inverse, names_followed
from dataforge.contexts.schemas.plans.planning import compile_target
from dataforge.contexts.schemas.plans.previewing import driver
from dataforge.contexts.schemas.plans.proof import scratch_schema
from dataforge.contexts.schemas.revisions.queries import find_by_fingerprint, find_revision


@dataclass(frozen=True, slots=True)
class Side:
    """A schema as it was after a revision, or (without a number) as it is."""

    number: int | None
    schema: Schema
    design: Design

    @property
    def title(self) -> str:
        """What it is called."""
        return "the schema as it is" if self.number is None else f"revision {self.number}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Two states, the names that changed between them, and both as one."""

    first: Side
    second: Side
    renames: Sequence[Rename]
    comparison: Comparison

    def drawn(self, sql: str | None = None) -> Drawn:
        """The picture of the difference."""
        title = f"From {self.first.title} to {self.second.title}"
        return drawn_comparison(self.comparison, title, sql)


def drawn_comparison(comparison: Comparison, title: str, sql: str | None) -> Drawn:
    """What is different, with what is beside it; the note says how much that is."""
    shown, all_tables = comparison.shown(), len(comparison.schema.tables)
    note = "Nothing is different." if not comparison.marks else ""
    if len(shown.tables) < all_tables and comparison.marks:
        note = f"{len(shown.tables)} of {all_tables} tables: those that change, and those beside them."
    return Drawn(shown, title, comparison.marks, note, sql)


async def schema_of(services: SchemasServices, row: dict[str, Any]) -> Side:
    """The schema after a revision, made again in a scratch schema."""
    design = parse_design(row["target"])
    async with driver(services.proofs) as connection:
        return Side(row["number"], await compile_target(connection, design), design)


async def compare_states(services: SchemasServices, workspace_id: UUID, first: int, second: int | None) -> Difference:
    """The difference from a revision to another, or (None) to the schema as it is; raises RevisionNotFound."""
    async with services.database.read_only() as connection:
        rows = [await find_revision(connection, workspace_id, first)]
        newest = await latest_revision(connection, workspace_id) if second is None else None
        if second is not None:
            rows.append(await find_revision(connection, workspace_id, second))
        targets = await targets_since(connection, workspace_id, min(first, first if second is None else second))
    before = await schema_of(services, rows[0])
    if second is not None:
        after = await schema_of(services, rows[1])
        steps = targets[: abs(second - first)]
    else:
        async with driver(services.proofs) as connection:
            live = await read_schema(connection, namespace_of(workspace_id))
        design = parse_design(newest["target"]) if newest is not None else Design(live)
        after, steps = Side(None, live, design), targets
    designs = [parse_design(target) for target in steps]
    renames = _renames(before, after, designs)
    return Difference(before, after, renames, compare_schemas(before.schema, after.schema, renames))


def _renames(first: Side, second: Side, steps: Sequence[Design]) -> list[Rename]:
    """The names that changed from the first to the second; `steps` are the designs after the earlier of both."""
    forward = second.number is None or (first.number is not None and first.number <= second.number)
    earlier, later = (first, second) if forward else (second, first)
    back = find_renames(later.schema, names_followed(earlier.design, steps), later.design.named)
    return inverse(back) if forward else back


async def statements_between(services: SchemasServices, workspace_id: UUID, difference: Difference) -> str:
    """The statements that lead from the first state to the second, tried in a scratch schema.

    Raises PlanRefused, PlanUnproved, SchemaNotManaged.
    """
    first, second = difference.first.schema, difference.second.schema
    if first.fingerprint == second.fingerprint and not difference.renames:
        return ""
    design = replace(difference.second.design, schema=second, online=False)
    async with driver(services.proofs) as connection, scratch_schema(connection) as workshop:
        async with workshop.savepoint():
            pass
        await workshop.copy(first)
        plan = await workshop.plan(namespace_of(workspace_id), first, second, design, difference.renames, set())
    return script(plan.up)


async def drawn_plan(services: SchemasServices, workspace_id: UUID, row: dict[str, Any]) -> Drawn:
    """A plan as a picture: the state that it was made for and its target, with what is different."""
    design = parse_design(row["target"])
    async with driver(services.proofs) as connection:
        wanted = await compile_target(connection, design)
        before = await base_of(services, connection, workspace_id, row["base_fingerprint"])
    title = "What the plan changes"
    if before is None:
        return Drawn(
            wanted, "What the plan leads to", note="The state before it is not known any more.", sql=row["sql"]
        )
    renames = find_renames(before.schema, design.named, before.design.named)
    return drawn_comparison(compare_schemas(before.schema, wanted, renames), title, row["sql"])


async def base_of(
    services: SchemasServices, connection: AsyncConnection[Any], workspace_id: UUID, fingerprint: str
) -> Side | None:
    """The state of the schema with this fingerprint: nothing, a revision, or as it is; None when it has gone."""
    if fingerprint == Schema().fingerprint:
        return Side(None, Schema(), Design(Schema()))
    async with services.database.read_only() as reading:
        row = await find_by_fingerprint(reading, workspace_id, fingerprint)
        newest = row or await latest_revision(reading, workspace_id)
    design = parse_design(newest["target"]) if newest is not None else Design(Schema())
    if row is not None:
        schema = await compile_target(connection, design)
    else:
        schema = await read_schema(connection, namespace_of(workspace_id))
    return Side(None, schema, design) if schema.fingerprint == fingerprint else None
