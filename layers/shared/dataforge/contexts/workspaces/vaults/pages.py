"""Vaults of a workspace: listed, made, renamed, locked, deleted."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.workspaces.page_calls import (
    ROWS,
    WORKSPACE,
    WORKSPACES,
    WorkspacePageCall,
    cleaned,
    in_workspace_page,
    router,
)
from dataforge.contexts.workspaces.vaults import commands, queries, wire
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

VAULTS = WORKSPACE + "/vaults"
VAULT = VAULTS + "/{vault_id}"
_NEW = {"name": "", "path": ""}


@router.get(VAULTS)
async def vaults_page(
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.VAULT)], cursor: Cursor = None
) -> Response:
    """Vaults by name, and a form for another one."""
    return await _list(call, _NEW, cursor=cursor)


@router.post(VAULTS)
async def create_vault(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CREATE, Kind.VAULT)]
) -> Response:
    """Add a vault."""
    given = cleaned(call.form, *_NEW)
    try:
        body = wire.VaultIn.model_validate({name: value for name, value in given.items() if value or name == "name"})
        made = await call.carry_out(commands.create_vault, commands.CreateVault(workspace_id, **body.model_dump()))
    except (ValidationError, DataForgeError) as error:
        return await _list(call, given, refusal_of(error, given))
    return call.go_on("success", Text("{name} is added.", name=body.name), WORKSPACES, workspace_id, "vaults", made)


@router.get(VAULT + "/settings")
async def vault_settings_page(
    vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.VAULT)]
) -> Response:
    """Name and path of one vault, its lock, and its end."""
    return await _settings(call, vault_id)


@router.post(VAULT + "/settings")
async def change_vault(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.VAULT)]
) -> Response:
    """Change name and path."""
    given = cleaned(call.form, *_NEW)
    try:
        changes = wire.VaultChangeIn.model_validate(given).model_dump(exclude_unset=True)
        command = commands.ChangeVault(workspace_id, vault_id, call.form.get("revision", ""), changes)
        await call.carry_out(commands.change_vault, command)
    except (ValidationError, DataForgeError) as error:
        return await _settings(call, vault_id, given, refusal_of(error, given))
    return call.go_on("success", Text("The change is saved."), WORKSPACES, workspace_id, "vaults", vault_id, "settings")


@router.post(VAULT + "/lock")
async def lock_vault(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.LOCK, Kind.VAULT)]
) -> Response:
    """Lock it, or unlock it."""
    locked = call.form.get("locked") == "yes"
    try:
        await call.carry_out(commands.lock_vault, commands.LockVault(workspace_id, vault_id, locked))
    except DataForgeError as error:
        return await _settings(call, vault_id, refusal=refusal_of(error))
    text = (
        Text("The vault is locked: nobody changes it until it is unlocked.")
        if locked
        else Text("The vault is unlocked.")
    )
    return call.go_on("success", text, WORKSPACES, workspace_id, "vaults", vault_id, "settings")


@router.post(VAULT + "/delete")
async def delete_vault(
    workspace_id: UUID, vault_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.DELETE, Kind.VAULT)]
) -> Response:
    """Delete it with its notes; the name is typed to say that it is meant."""
    vault = await call.query(queries.get_vault, workspace_id, vault_id, call.user_id)
    if call.form.get("name", "").strip() != vault["name"]:
        refusal = Refusal(400, "", {"confirmation": Text("Type {name} to say that you mean it.", name=vault["name"])})
        return await _settings(call, vault_id, refusal=refusal)
    try:
        await call.carry_out(commands.delete_vault, commands.DeleteVault(workspace_id, vault_id))
    except DataForgeError as error:
        return await _settings(call, vault_id, refusal=refusal_of(error))
    return call.go_on("success", Text("{name} is deleted.", name=vault["name"]), WORKSPACES, workspace_id, "vaults")


async def _list(
    call: WorkspacePageCall, given: Mapping[str, str], refusal: Refusal = ACCEPTED, *, cursor: str | None = None
) -> Response:
    page = await call.query(queries.list_vaults, call.workspace.id, call.user_id, after=call.after(cursor), limit=ROWS)
    return call.page(
        "workspaces/vaults.html",
        refusal=refusal,
        vaults=page.rows,
        given=given,
        first=cursor is None,
        following=call.following(page.next_key) if refusal is ACCEPTED else None,
    )


async def _settings(
    call: WorkspacePageCall, vault_id: UUID, given: Mapping[str, str] | None = None, refusal: Refusal = ACCEPTED
) -> Response:
    vault = await call.query(queries.get_vault, call.workspace.id, vault_id, call.user_id)
    shown = given or {name: vault[name] for name in _NEW}
    return call.page("workspaces/vault_settings.html", refusal=refusal, vault=vault, given=shown)
