"""Plans for a workspace: reads what is deployed, makes and proves the plan, and looks at the live rows."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from psycopg import AsyncConnection

from dataforge.contexts.schemas.deployments.queries import latest_revision
from dataforge.contexts.schemas.designs.domain.document import Design, parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.domain.changes import Risk
from dataforge.contexts.schemas.plans.domain.plan import Finding, Plan, check_losses
from dataforge.contexts.schemas.plans.planning import Deployed, compile_target, make_plan
from dataforge.contexts.schemas.plans.probes import probe
from dataforge.platform.db.database import Database

_MOST_KEPT = 4


@dataclass(frozen=True, slots=True)
class Preview:
    """A proved plan and what is known about it."""

    plan: Plan
    warnings: list[dict[str, Any]]
    affected: dict[int, int]


@asynccontextmanager
async def driver(database: Database) -> AsyncIterator["AsyncConnection[Any]"]:
    """The driver's own connection, for statements that no SQL toolkit should touch; nothing of it is committed."""
    async with database.connect() as connection:
        raw = await connection.get_raw_connection()
        driver_connection = cast("AsyncConnection[Any]", raw.driver_connection)
        try:
            yield driver_connection
        finally:
            await driver_connection.rollback()


async def preview(services: SchemasServices, workspace_id: UUID, target: Mapping[str, Any]) -> Preview:
    """The plan from the live schema of a workspace to a target; leaves nothing behind.

    Raises what `make_plan` raises.
    """
    before = await find_deployed(services, workspace_id)
    design = before.design if before is not None and before.target == target else parse_design(target)
    namespace = namespace_of(workspace_id)
    async with driver(services.proofs) as connection:
        plan, current, wanted = await make_plan(connection, namespace, design, before)
        if not design.allow_destructive:
            check_losses(plan)
        findings, affected = await probe(connection, plan, current, wanted)
    findings += possible_renames(plan, current, wanted)
    return Preview(plan, [*_of_design(design), *map(_of_finding, findings)], affected)


async def check_target(services: SchemasServices, target: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The warnings of a target that PostgreSQL accepts; raises InvalidTarget, ExpressionForbidden."""
    design = parse_design(target)
    async with driver(services.proofs) as connection:
        await compile_target(connection, design)
    return _of_design(design)


async def find_deployed(services: SchemasServices, workspace_id: UUID) -> Deployed | None:
    """What was deployed last."""
    async with services.database.read_only() as connection:
        revision = await latest_revision(connection, workspace_id)
    if revision is None:
        return None
    known = services.deployed.get(revision["id"])
    if known is None:
        known = Deployed(parse_design(revision["target"]), revision["fingerprint"], revision["target"])
        if len(services.deployed) >= _MOST_KEPT:
            services.deployed.clear()
        services.deployed[revision["id"]] = known
    return known


async def live_schema(services: SchemasServices, workspace_id: UUID) -> Schema:
    """The schema of a workspace as it is."""
    async with driver(services.proofs) as connection:
        return await read_schema(connection, namespace_of(workspace_id))


def possible_renames(plan: Plan, current: Schema, wanted: Schema) -> list[Finding]:
    """Drops beside additions of the same kind: perhaps somebody changed a name and gave no id."""
    old_names = dict(plan.old_names)
    dropped = [item for item in plan.up if item.risk is Risk.DESTRUCTIVE and item.op in ("drop column", "drop table")]
    added = [item for item in plan.up if item.op in ("add column", "create table")]
    found = []
    for loss in dropped:
        for gain in added:
            if loss.op == "drop column" and gain.op == "add column" and loss.table == gain.table:
                old = current.tables[old_names.get(f"table {loss.table}", loss.table or "")].columns[loss.column or ""]
                alike = old.type == wanted.tables[gain.table or ""].columns[gain.column or ""].type
            elif loss.op == "drop table" and gain.op == "create table":
                old_columns = current.tables[loss.table or ""].columns
                alike = bool(old_columns) and set(old_columns) == set(wanted.tables[gain.table or ""].columns)
            else:
                alike = False
            if alike:
                name = loss.object.rpartition(".")[2].removeprefix("table ")
                message = f"if this is {gain.object} under a new name, give it the same id or previousName {name!r}"
                found.append(Finding("possible_rename", loss.object, message))
    return found


def _of_design(design: Design) -> list[dict[str, Any]]:
    return [
        {"code": item.rule, "object": item.pointer, "message": item.message, "blocking": False}
        for item in design.warnings
    ]


def _of_finding(item: Finding) -> dict[str, Any]:
    return {"code": item.code, "object": item.object, "message": item.message, "blocking": item.blocking}
