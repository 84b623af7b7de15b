"""Messages of the deployments queue, and what `maintenance` does for deployments that were left behind."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dataforge.contexts.schemas.deployments import queries
from dataforge.contexts.schemas.deployments.domain import DeploymentStatus, files_below
from dataforge.contexts.workspaces.contract import WorkspaceDeleted
from dataforge.events.sqs import batch_response, queue_records
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.schemas.module import SchemasServices


async def deployment_messages(event: Mapping[str, Any], services: "SchemasServices") -> dict[str, Any]:
    """Messages `{"deployment_id": …}`, `{"deleted_workspace": …}`, `{"empty_trash": …}`, `{"check_drift": …}`.

    And `{"drop_trials": true}`. What is busy is given back to the queue.
    """
    failed = []
    for record in queue_records(event):
        try:
            message = json.loads(record.body)
            handle = next((_HANDLERS[key] for key in message if key in _HANDLERS), _deploy)
            busy = not await handle(message, services)
        except Exception:  # noqa: BLE001 - one message must not take the others along
            logger.error("message failed", exc_info=True, message_id=record.message_id)
            busy = True
        if busy:
            failed.append(record.message_id)
    return batch_response(failed)


async def _deploy(message: Mapping[str, Any], services: "SchemasServices") -> bool:
    deployment_id = UUID(message["deployment_id"])
    status = await services.deployer.run(deployment_id)
    logger.info("deployment", deployment_id=str(deployment_id), status=status)
    if status == DeploymentStatus.RUNNING:  # there is more to do than one run has time for
        await services.queue.send(json.dumps({"deployment_id": str(deployment_id)}))
    return status != DeploymentStatus.QUEUED


async def _drop(message: Mapping[str, Any], services: "SchemasServices") -> bool:
    workspace_id = UUID(message["deleted_workspace"])
    dropped = await services.deployer.drop(workspace_id)
    logger.info("schema dropped" if dropped else "schema busy", workspace_id=str(workspace_id))
    return dropped


async def _empty(message: Mapping[str, Any], services: "SchemasServices") -> bool:
    workspace_id = UUID(message["empty_trash"])
    deleted = await services.deployer.empty_trash(workspace_id)
    logger.info("trash emptied", workspace_id=str(workspace_id), deleted=-1 if deleted is None else len(deleted))
    return deleted is not None


async def _drop_trials(message: Mapping[str, Any], services: "SchemasServices") -> bool:  # noqa: ARG001 - like the others
    logger.info("copies of trials dropped", dropped=await services.deployer.drop_trials())
    return True


async def _check(message: Mapping[str, Any], services: "SchemasServices") -> bool:
    workspace_id = UUID(message["check_drift"])
    drifted = await services.deployer.check_drift(workspace_id)
    logger.info("schema checked", workspace_id=str(workspace_id), drifted=drifted)
    return True  # a busy one is asked for again by maintenance


_HANDLERS = {"deleted_workspace": _drop, "empty_trash": _empty, "drop_trials": _drop_trials, "check_drift": _check}


async def end_schema(event: WorkspaceDeleted, services: "SchemasServices") -> None:
    """Have the schema of a workspace that is gone dropped, and delete its files; twice is once."""
    async with services.database.read_only() as connection:
        deployed = await queries.is_deployed(connection, event.workspace_id)
    objects, prefix = services.platform.objects, files_below(event.workspace_id)
    while found := await objects.oldest(prefix, limit=1000):
        await objects.delete([item.key for item in found])
    if deployed:
        await services.queue.send(json.dumps({"deleted_workspace": str(event.workspace_id)}))


async def resume_deployments(services: "SchemasServices") -> dict[str, int]:
    """Send a message again for deployments that no worker has, and have copies of trials dropped that were left."""
    async with services.database.read_only() as connection:
        waiting = await queries.left_behind(connection, services.clock.now())
        trials = await queries.left_trials(connection)
    for deployment_id in waiting:
        await services.queue.send(json.dumps({"deployment_id": str(deployment_id)}))
    if trials:
        await services.queue.send(json.dumps({"drop_trials": True}))
    return {"resumed": len(waiting), "trials": len(trials)}
