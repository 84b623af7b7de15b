"""Who may do what with transcripts and tutorials: members of their workspace, as their role allows.

Whoever is no member gets the answer as if there were nothing. A request that was answered before is answered again only
after the person has been found to be somebody who may ask it.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends

from dataforge.contexts.workspaces.contract import Memberships
from dataforge.http.auth import require
from dataforge.http.call import Call, replay_if_known
from dataforge.kernel.access import Action, Kind


async def require_role(call: Call, workspace_id: UUID, action: Action, kind: Kind) -> None:
    """Raise WorkspaceNotFound, WorkspaceRoleMissing or WorkspaceArchived unless the person may do this there."""
    await call.services(Memberships).require(workspace_id, call.user_id, action, kind)
    await replay_if_known(call.request, call.principal)


def in_workspace(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route about the workspace in the query says of who may call it: members whose role allows this."""

    async def member_call(workspace_id: UUID, call: Annotated[Call, require(action, kind, replays=False)]) -> Call:
        await require_role(call, workspace_id, action, kind)
        return call

    return Depends(member_call)
