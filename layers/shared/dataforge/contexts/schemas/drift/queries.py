"""Compares the live schema of a workspace with its last revision."""

from typing import Any
from uuid import UUID

from dataforge.contexts.schemas.deployments.queries import latest_revision
from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.drift.checks import last_check
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.domain.diff import find_changes
from dataforge.contexts.schemas.plans.domain.scene import Options
from dataforge.contexts.schemas.plans.planning import compile_target
from dataforge.contexts.schemas.plans.previewing import driver, live_schema


async def find_drift(services: SchemasServices, workspace_id: UUID) -> dict[str, Any]:
    """What changed without a deployment: the changes that happened, and those that would undo them."""
    async with services.database.read_only() as connection:
        revision = await latest_revision(connection, workspace_id)
        check = await last_check(connection, workspace_id)
    live = await live_schema(services, workspace_id)
    deployed = Schema()
    if revision is not None and revision["fingerprint"] != live.fingerprint:
        async with driver(services.proofs) as connection:
            deployed = await compile_target(connection, parse_design(revision["target"]))
    expected = Schema().fingerprint if revision is None else revision["fingerprint"]
    drifted = expected != live.fingerprint
    return {
        "workspace_id": workspace_id,
        "revision": None if revision is None else revision["revision"],
        "drifted": drifted,
        "expected_fingerprint": expected,
        "found_fingerprint": live.fingerprint,
        "adopt": _listed(deployed, live) if drifted else [],
        "restore": _listed(live, deployed) if drifted else [],
        "checked_at": None if check is None else check["checked_at"],
    }


def _listed(start: Schema, end: Schema) -> list[dict[str, Any]]:
    return [
        {"op": item.op, "object": item.object, "sql": [statement.sql for statement in item.statements]}
        for item in find_changes(start, end, Options(online=False))
    ]
