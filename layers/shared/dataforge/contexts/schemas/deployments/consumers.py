"""Messages of the deployments queue, and what `maintenance` does for deployments that were left behind."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.schemas.deployments import queries
from dataforge.contexts.schemas.deployments.domain import DeploymentStatus
from dataforge.events.sqs import batch_response, queue_records
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.schemas.module import SchemasServices


async def deployment_messages(event: Mapping[str, Any], services: "SchemasServices") -> dict[str, Any]:
    """Messages `{"deployment_id": …}`; one whose workspace is busy is given back to the queue."""
    failed = []
    for record in queue_records(event):
        try:
            deployment_id = UUID(json.loads(record.body)["deployment_id"])
            status = await services.deployer.run(deployment_id)
            logger.info("deployment", deployment_id=str(deployment_id), status=status)
            busy = status == DeploymentStatus.QUEUED
        except Exception:  # noqa: BLE001 - one message must not take the others along
            logger.error("message failed", exc_info=True, message_id=record.message_id)
            busy = True
        if busy:
            failed.append(record.message_id)
    return batch_response(failed)


async def resume_deployments(services: "SchemasServices") -> dict[str, int]:
    """Send a message again for deployments that no worker has."""
    async with services.database.read_only() as connection:
        waiting = await queries.left_behind(connection, services.clock.now())
    for deployment_id in waiting:
        await services.queue.send(json.dumps({"deployment_id": str(deployment_id)}))
    return {"resumed": len(waiting)}
