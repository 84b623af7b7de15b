"""Plans of the two ways out of a drift: keep what happened as a revision, or undo it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from dataforge.contexts.schemas.deployments.queries import latest_revision
from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.designs.domain.writing import to_document
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.contexts.schemas.plans.previewing import Preview, driver, find_deployed, live_schema, preview
from dataforge.contexts.schemas.plans.proof import SchemaNotManaged, scratch_schema
from dataforge.kernel.errors import Conflict
from dataforge.kernel.texts import Text


class NoDrift(Conflict):
    """The schema is as it was deployed last, or nothing was deployed."""

    code = "no_drift"
    title = "The schema is as it was deployed"


@dataclass(frozen=True, slots=True)
class Adoption:
    """The live schema as a target, the plan of nothing that leads to it, and what has happened since the revision."""

    target: Mapping[str, Any]
    found: Preview
    happened: Plan


async def plan_adoption(services: SchemasServices, workspace_id: UUID) -> Adoption:
    """Make the live schema what was deployed last; raises NoDrift, SchemaNotManaged."""
    before = await find_deployed(services, workspace_id)
    live = await live_schema(services, workspace_id)
    if live.fingerprint == (Schema().fingerprint if before is None else before.fingerprint):
        raise _no_drift()
    namespace = namespace_of(workspace_id)
    target = to_document(live, namespace, () if before is None else before.design.named)
    found = await preview(services, workspace_id, target, asking=False)
    if found.plan.up:
        message = Text("The live schema holds what the target format does not describe.")
        raise SchemaNotManaged(message)
    design = replace(parse_design(target), online=False)
    async with driver(services.proofs) as connection, scratch_schema(connection) as workshop:
        async with workshop.savepoint():
            deployed = Schema() if before is None else await workshop.compile(before.design)
        await workshop.copy(deployed)
        happened = await workshop.plan(namespace, deployed, live, replace(design, schema=live), (), set())
    return Adoption(target, found, happened)


async def plan_restoration(services: SchemasServices, workspace_id: UUID) -> tuple[Mapping[str, Any], Preview]:
    """The plan back to what was deployed last, with its target; raises NoDrift and what `preview` raises."""
    async with services.database.read_only() as connection:
        revision = await latest_revision(connection, workspace_id)
    target: Mapping[str, Any] = {"tables": []} if revision is None else revision["target"]
    found = await preview(services, workspace_id, target, asking=False)
    if not found.plan.up:
        raise _no_drift()
    return target, found


def _no_drift() -> NoDrift:
    message = Text("The schema is as it was deployed last; there is nothing to keep or to undo.")
    return NoDrift(message)
