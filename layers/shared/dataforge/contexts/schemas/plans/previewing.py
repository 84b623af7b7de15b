"""Plans for a workspace: reads what is deployed, makes and proves the plan, and looks at the live rows."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from psycopg import AsyncConnection

from dataforge.contexts.schemas.deployments.queries import latest_revision, targets_since
from dataforge.contexts.schemas.designs.domain.document import Design, parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.designs.queries import read_schema
from dataforge.contexts.schemas.designs.safety import ExpressionForbidden
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.domain.plan import Finding, Plan, check_losses
from dataforge.contexts.schemas.plans.domain.renames import follow_names
from dataforge.contexts.schemas.plans.domain.trash import DAYS_KEPT
from dataforge.contexts.schemas.plans.planning import Deployed, judge_target, make_plan
from dataforge.contexts.schemas.plans.probes import probe
from dataforge.contexts.schemas.plans.proof import PlanRefused
from dataforge.contexts.schemas.plans.trials import try_plan
from dataforge.kernel.errors import DataForgeError, ValidationFailed, Violation
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database

logger = logging.getLogger(__name__)
_MOST_KEPT = 4
MOST_SECONDS = 20  # API Gateway waits for 29


@dataclass(frozen=True, slots=True)
class Preview:
    """A proved plan and what is known about it."""

    plan: Plan
    warnings: list[dict[str, Any]]
    affected: dict[int, int]


class SchemaTooSlow(ValidationFailed):
    """PostgreSQL cannot make and prove the schema in the time that a request has."""

    code = "schema_too_slow"
    title = "The schema takes too long to prove"


@asynccontextmanager
async def driver(database: Database) -> AsyncIterator["AsyncConnection[Any]"]:
    """The driver's own connection, for statements that no SQL toolkit should touch; nothing of it is committed.

    All that is done with it has the time of a request: raises SchemaTooSlow.
    """
    async with database.connect() as connection:
        raw = await connection.get_raw_connection()
        driver_connection = cast("AsyncConnection[Any]", raw.driver_connection)
        try:
            async with asyncio.timeout(MOST_SECONDS):
                yield driver_connection
        except TimeoutError as error:
            message = Text(
                "PostgreSQL needs more than {most_seconds} seconds for this schema; make its expressions simpler, "
                "or deploy it in parts.",
                most_seconds=MOST_SECONDS,
            )
            raise SchemaTooSlow(message, violations=[Violation("", message, "too_slow")]) from error
        finally:
            await driver_connection.rollback()


async def preview(
    services: SchemasServices,
    workspace_id: UUID,
    target: Mapping[str, Any],
    *,
    back_to: int | None = None,
    asking: bool = True,
) -> Preview:
    """The plan from the live schema of a workspace to a target; leaves nothing behind.

    A target of the past (`back_to` is the number of its revision) follows the names that things have got since, and
    leaves nothing open; nor does anything with `asking` off. Raises what `make_plan` raises.
    """
    before = await find_deployed(services, workspace_id)
    design = before.design if before is not None and before.target == target else parse_design(target)
    if back_to is not None:
        design = await _following_names(services, workspace_id, design, back_to)
    namespace = namespace_of(workspace_id)
    async with driver(services.proofs) as connection:
        with _pointing(design):
            going_back = back_to is not None
            asking = asking and not going_back
            plan, current, wanted = await make_plan(
                connection, namespace, design, before, asking=asking, trash=True, going_back=going_back
            )
            plan = await try_plan(connection, plan)
        plan, findings = await probe(connection, plan, current, wanted, design.hints)
    if not design.allow_destructive:
        check_losses(plan)
    affected = {index: seen.affected for index, seen in enumerate(plan.evidence) if seen.affected is not None}
    findings += kept_in_trash(plan)
    return Preview(plan, [*_of_design(design), *map(_of_finding, findings)], affected)


async def find_failures(
    services: SchemasServices, workspace_id: UUID, target: Mapping[str, Any], plan_hash: str
) -> list[dict[str, Any]]:
    """The warnings of a kept plan that are true now and that it would fail with; leaves nothing behind.

    None where the same plan is not made again from its target alone, as for a way back past names that changed, and
    where that takes too long: then its deployment tells.
    """
    before, design = await find_deployed(services, workspace_id), parse_design(target)
    try:
        async with driver(services.proofs) as connection:
            for back in (False, True):
                plan, current, wanted = await make_plan(
                    connection, namespace_of(workspace_id), design, before, trash=True, going_back=back
                )
                if plan.hash == plan_hash:
                    _, findings = await probe(connection, plan, current, wanted, design.hints)
                    return [_of_finding(item) for item in findings if item.blocking]
    except DataForgeError as error:
        logger.info("what a plan would meet could not be looked at again", extra={"code": error.code})
    return []


@contextmanager
def _pointing(design: Design) -> Iterator[None]:
    """What is refused of a change points to the place of its object in the target."""
    try:
        yield
    except (PlanRefused, ExpressionForbidden) as error:
        if error.violations:
            raise
        place = design.places.get(str((error.facts or {}).get("object")), "")
        refused = [Violation(place, error.detail, "refused")]
        raise type(error)(error.detail, facts=error.facts, violations=refused) from error


def kept_in_trash(plan: Plan) -> list[Finding]:
    """What the plan puts into the trash, and for how long it can come back."""
    message = Text(
        "it is kept for {days_kept} days and comes back with a rollback, or in a target that has it by its id",
        days_kept=DAYS_KEPT,
    )
    return [Finding("kept_in_trash", item.object, message) for item in plan.up if item.kept]


async def _following_names(services: SchemasServices, workspace_id: UUID, design: Design, number: int) -> Design:
    """A design of the past that knows what became of its names in the revisions after it."""
    async with services.database.read_only() as connection:
        later = await targets_since(connection, workspace_id, number)
    steps = [parse_design(target) for target in later]
    named, gone = follow_names(design, steps)
    return replace(design, named=tuple(named), gone=gone)


async def check_target(services: SchemasServices, target: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The warnings of a target that PostgreSQL accepts; raises InvalidTarget, ExpressionForbidden."""
    async with driver(services.proofs) as connection:
        design = await judge_target(connection, target)
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


def _of_design(design: Design) -> list[dict[str, Any]]:
    return [
        {"code": item.rule, "object": item.pointer, "message": item.message, "blocking": False}
        for item in design.warnings
    ]


def _of_finding(item: Finding) -> dict[str, Any]:
    return {
        "code": item.code,
        "object": item.object,
        "message": item.message,
        "blocking": item.blocking,
        "samples": [dict(key) for key in item.samples],
    }
