"""What `maintenance` does for the trash."""

import json
from typing import TYPE_CHECKING

from dataforge.contexts.schemas.trash import queries

if TYPE_CHECKING:
    from dataforge.contexts.schemas.module import SchemasServices


async def announce_trash(services: "SchemasServices") -> dict[str, int]:
    """Have the deployer delete what has been kept long enough, and what somebody wants deleted."""
    async with services.database.read_only() as connection:
        workspaces = await queries.workspaces_to_empty(connection, services.clock.now())
    for workspace_id in workspaces:
        await services.queue.send(json.dumps({"empty_trash": str(workspace_id)}))
    return {"emptied": len(workspaces)}
