"""Tells the deployer that a deployment waits."""

import json
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.schemas.module import SchemasServices


async def announce_deployment(services: "SchemasServices", deployment_id: UUID) -> None:
    """Send the message of a deployment whose row is there; if it cannot be sent, maintenance sends it later."""
    try:
        await services.queue.send(json.dumps({"deployment_id": str(deployment_id)}))
    except Exception:  # noqa: BLE001 - the deployment is asked for, whatever becomes of the message
        logger.warning("deployment not announced yet", exc_info=True)
