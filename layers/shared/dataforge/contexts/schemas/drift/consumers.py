"""What `maintenance` does about drift: the deployer looks, whose login may read every schema."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from dataforge.contexts.schemas.drift.checks import workspaces_to_check

if TYPE_CHECKING:
    from dataforge.contexts.schemas.module import SchemasServices

CHECKED_EVERY = timedelta(hours=1)
_MOST = 20  # a minute


async def announce_checks(services: "SchemasServices") -> dict[str, int]:
    """Have the schemas looked at that nobody has looked at for an hour, those that wait longest first."""
    before = services.clock.now() - CHECKED_EVERY
    async with services.database.read_only() as connection:
        waiting = await workspaces_to_check(connection, before, limit=_MOST)
    for workspace_id in waiting:
        await services.queue.send(json.dumps({"check_drift": str(workspace_id)}))
    return {"checked": len(waiting)}
