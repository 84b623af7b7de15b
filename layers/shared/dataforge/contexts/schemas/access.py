"""Who may do what with the schema of a workspace: its members look, editors plan, administrators and owners deploy.

Whoever is no member gets the answer as if there were nothing. A request that was answered before is answered again only
after the person has been found to be somebody who may ask it.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from dataforge.contexts.workspaces.contract import Memberships
from dataforge.http.auth import UnansweredCall
from dataforge.http.call import Call, replay_if_known


async def require_member(call: Call, workspace_id: UUID) -> None:
    """Raise WorkspaceNotFound for strangers."""
    await _require(call, workspace_id, "viewer", writable=False)


async def require_planner(call: Call, workspace_id: UUID) -> None:
    """Raise WorkspaceNotFound, WorkspaceRoleMissing or WorkspaceArchived unless the person may make plans."""
    await _require(call, workspace_id, "editor", writable=True)


async def require_deployer(call: Call, workspace_id: UUID) -> None:
    """Raise WorkspaceNotFound, WorkspaceRoleMissing or WorkspaceArchived unless the person may deploy."""
    await _require(call, workspace_id, "admin", writable=True)


async def _require(call: Call, workspace_id: UUID, role: str, *, writable: bool) -> None:
    await call.services(Memberships).require(workspace_id, call.user_id, role, writable=writable)
    await replay_if_known(call.request, call.principal)


async def _member_call(workspace_id: UUID, call: UnansweredCall) -> Call:
    await require_member(call, workspace_id)
    return call


MemberCall = Annotated[Call, Depends(_member_call)]
