"""What routes and pages of xAPI credentials have in common."""

from typing import Annotated, Any

from fastapi import Depends

from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.xapi_credentials.queries import credential_missing, workspace_of_credential
from dataforge.http.auth import require
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.platform.observability import logger


def on_credential(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route about a credential says of who may call it: whoever may not see it finds none (ADR 49).

    To end one is not refused in an archived workspace: what has leaked has to stop.
    """

    async def credential_call(key_id: str, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        workspace = await call.query(workspace_of_credential, key_id)
        resource = Resource(kind, workspace=workspace)
        if action is not Action.DELETE:
            await call.decisions.require(action, resource, credential_missing(key_id))
        elif not await call.can(action, resource):
            raise credential_missing(key_id)
        await call.replay()
        return call

    return Depends(credential_call)


async def publish(call: Call, key_id: str) -> None:
    """Publish a changed credential to where it is checked.

    At once where possible; if this fails the outbox event written with the change does it again within a minute.
    """
    try:
        await call.services(IdentityServices).credential_publisher.publish(key_id)
    except Exception:  # noqa: BLE001 - see above: the change itself is durable
        logger.warning("credential not published yet, the outbox will do it", exc_info=True, key_id=key_id)
