"""Plans a revision of one workspace for another, and says what is different when the plan is not the same."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.schemas.deployments.queries import find_deployment
from dataforge.contexts.schemas.designs.domain.names import namespace_of
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.domain.comparison import changes_of, compare_schemas
from dataforge.contexts.schemas.plans.domain.plan import Plan, portable
from dataforge.contexts.schemas.plans.previewing import Preview, driver, live_schema, preview
from dataforge.contexts.schemas.plans.queries import find_plan
from dataforge.contexts.schemas.revisions.comparing import base_of
from dataforge.contexts.schemas.revisions.queries import find_revision

_MOST_SAID = 200


@dataclass(frozen=True, slots=True)
class Promotion:
    """The plan for the other workspace, the target it has there, and what is different from where it was deployed.

    `base` is what the other schema has otherwise, by names; `statements` are the changes whose statements differ.
    """

    target: Mapping[str, Any]
    found: Preview
    plan_hash: str
    base_fingerprint: str
    base: list[dict[str, Any]]
    statements: list[dict[str, Any]]


async def promote(services: SchemasServices, source: UUID, number: int, destination: UUID) -> Promotion:
    """The plan from the live schema of the destination to the target of a revision of the source.

    Raises RevisionNotFound and what `preview` raises.
    """
    async with services.database.read_only() as connection:
        revision = await find_revision(connection, source, number)
        deployment = await find_deployment(connection, revision["deployment_id"])
        known = await find_plan(connection, source, deployment["plan_id"])
    target = {key: value for key, value in revision["target"].items() if key != "namespace"}
    found = await preview(services, destination, target)
    statements: list[dict[str, Any]] = []
    base: list[dict[str, Any]] = []
    if found.plan.hash != known["plan_hash"]:
        statements = list(_different(known["changes"], namespace_of(source), found.plan))[:_MOST_SAID]
        if found.plan.base_fingerprint != known["base_fingerprint"]:
            base = await _base(services, source, known["base_fingerprint"], destination)
    return Promotion(target, found, known["plan_hash"], known["base_fingerprint"], base, statements)


async def _base(services: SchemasServices, source: UUID, fingerprint: str, destination: UUID) -> list[dict[str, Any]]:
    """What the live schema of the destination has otherwise than the state that the revision was planned from."""
    async with driver(services.proofs) as connection:
        there = await base_of(services, connection, source, fingerprint)
    if there is None:
        return []
    here = await live_schema(services, destination)
    return changes_of(compare_schemas(there.schema, here, ()).marks)[:_MOST_SAID]


def _different(known: Iterable[Mapping[str, Any]], namespace: str, plan: Plan) -> Iterable[dict[str, Any]]:
    """Changes whose statements are not the same there and here."""
    there: dict[tuple[str, str], list[str]] = defaultdict(list)
    here: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in known:
        there[item["op"], item["object"]] += [portable(sql, namespace) for sql in item["sql"]]
    for step in plan.up:
        here[step.op, step.object] += [portable(statement.sql, plan.namespace) for statement in step.statements]
    for key in dict.fromkeys((*there, *here)):
        if there[key] != here[key]:
            yield {"op": key[0], "object": key[1], "there": there[key], "here": here[key]}
