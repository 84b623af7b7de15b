"""REST of vaults."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.workspaces.routing import in_workspace, one_of, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.contexts.workspaces.vaults import commands, queries, wire
from dataforge.http.call import Call, json_response
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

VAULTS = "/api/workspaces/{workspace_id}/vaults"
VAULT = VAULTS + "/{vault_id}"


@router.get(VAULTS, response_model=wire.VaultPage)
async def list_vaults(
    workspace_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.VAULT)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """Vaults of a workspace by name."""
    page = await call.query(queries.list_vaults, workspace_id, call.user_id, after=call.after(cursor), limit=limit)
    return page_of(call, page, wire.VaultOut, limit=limit)


@router.post(VAULTS, status_code=201, response_model=wire.VaultOut)
async def create_vault(
    workspace_id: UUID, body: wire.VaultIn, call: Annotated[Call, in_workspace(Action.CREATE, Kind.VAULT)]
) -> Response:
    """Add a vault, for editors; a workspace has a limited number."""

    async def read(connection: AsyncConnection, vault_id: UUID) -> Response:
        row = await queries.get_vault(connection, workspace_id, vault_id, call.user_id)
        return one_of(call, row, wire.VaultOut, "/api/workspaces", workspace_id, "vaults", vault_id)

    command = commands.CreateVault(workspace_id, **body.model_dump())
    return await call.execute_and_read(Work, commands.create_vault, command, read)


@router.get(VAULT, response_model=wire.VaultOut)
async def get_vault(
    workspace_id: UUID, vault_id: UUID, call: Annotated[Call, in_workspace(Action.READ, Kind.VAULT)]
) -> Response:
    """One vault."""
    return one_of(call, await call.query(queries.get_vault, workspace_id, vault_id, call.user_id), wire.VaultOut)


@router.patch(VAULT, response_model=wire.VaultOut)
async def change_vault(
    workspace_id: UUID,
    vault_id: UUID,
    body: wire.VaultChangeIn,
    call: Annotated[Call, in_workspace(Action.CHANGE, Kind.VAULT)],
) -> Response:
    """Change a vault, for editors; needs If-Match."""
    changes = body.model_dump(exclude_unset=True)
    command = commands.ChangeVault(workspace_id, vault_id, call.expected_revision(), changes)
    return await call.execute_and_read(Work, commands.change_vault, command, _reader(call, workspace_id))


@router.delete(VAULT, status_code=204)
async def delete_vault(
    workspace_id: UUID, vault_id: UUID, call: Annotated[Call, in_workspace(Action.DELETE, Kind.VAULT)]
) -> Response:
    """Delete a vault, for administrators of the workspace."""
    command = commands.DeleteVault(workspace_id, vault_id)
    return await call.execute(Work, commands.delete_vault, command, lambda _: json_response(None, status=204))


@router.post(VAULT + "/lock", response_model=wire.VaultOut)
async def lock_vault(
    workspace_id: UUID, vault_id: UUID, call: Annotated[Call, in_workspace(Action.LOCK, Kind.VAULT)]
) -> Response:
    """Lock a vault, for administrators of the workspace: until it is unlocked its notes cannot be changed (423)."""
    return await _set_lock(call, commands.LockVault(workspace_id, vault_id, locked=True))


@router.post(VAULT + "/unlock", response_model=wire.VaultOut)
async def unlock_vault(
    workspace_id: UUID, vault_id: UUID, call: Annotated[Call, in_workspace(Action.LOCK, Kind.VAULT)]
) -> Response:
    """Unlock a vault, for administrators of the workspace."""
    return await _set_lock(call, commands.LockVault(workspace_id, vault_id, locked=False))


async def _set_lock(call: Call, command: commands.LockVault) -> Response:
    read = _reader(call, command.workspace_id)
    return await call.execute_and_read(Work, commands.lock_vault, command, read)


def _reader(call: Call, workspace_id: UUID) -> Callable[[AsyncConnection, UUID], Awaitable[Response]]:
    async def read(connection: AsyncConnection, vault_id: UUID) -> Response:
        return one_of(call, await queries.get_vault(connection, workspace_id, vault_id, call.user_id), wire.VaultOut)

    return read
