"""Sends the deployer the messages of what waits for it."""

import json
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.schemas.module import SchemasServices


async def announce_deployment(services: "SchemasServices", deployment_id: UUID) -> None:
    """Send the message of a deployment whose row is there; if it cannot be sent, maintenance sends it later."""
    await _announce(services, deployment_id=deployment_id)


async def announce_emptying(services: "SchemasServices", workspace_id: UUID) -> None:
    """Send the message of a trash with something in it that shall go; if it cannot be sent, maintenance sends it."""
    await _announce(services, empty_trash=workspace_id)


async def _announce(services: "SchemasServices", **message: UUID) -> None:
    try:
        await services.queue.send(json.dumps({name: str(value) for name, value in message.items()}))
    except Exception:  # noqa: BLE001 - the row is there, whatever becomes of the message
        logger.warning("deployer not notified yet", exc_info=True, about=next(iter(message)))
