"""Whether a kept plan can be deployed now: where its schema and its trash are, and what rows would say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.schemas.deployments.commands import AskDeployment
from dataforge.contexts.schemas.designs.domain.names import namespace_of, trash_of
from dataforge.contexts.schemas.designs.queries import read_kept_tables, read_schema
from dataforge.contexts.schemas.plans.previewing import driver, find_failures
from dataforge.contexts.schemas.plans.queries import find_plan

if TYPE_CHECKING:
    from dataforge.contexts.schemas.module import SchemasServices


async def as_asked(
    services: "SchemasServices", workspace_id: UUID, plan_id: UUID, plan_hash: str, confirmations: Sequence[str]
) -> AskDeployment:
    """What is asked for, with all that must be known to say yes or no; raises PlanNotFound.

    Rows are asked again only for a plan that would have failed when it was made: that may take seconds.
    """
    async with services.database.read_only() as connection:
        plan = await find_plan(connection, workspace_id, plan_id)
    namespace = namespace_of(workspace_id)
    async with driver(services.proofs) as connection:
        found = (await read_schema(connection, namespace)).fingerprint
        trash = frozenset(name for name, _ in await read_kept_tables(connection, trash_of(namespace)))
    fresh = (plan["plan_hash"], plan["base_fingerprint"]) == (plan_hash, found)
    doubtful = fresh and any(item["blocking"] for item in plan["warnings"])
    failures = await find_failures(services, workspace_id, plan["target"], plan_hash) if doubtful else []
    return AskDeployment(workspace_id, plan_id, plan_hash, confirmations, found, trash, failures)
