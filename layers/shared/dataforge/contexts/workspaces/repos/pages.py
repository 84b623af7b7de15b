"""Repos of a workspace: listed, added, changed, deleted; their branches, tags, and the webhook that tells of them."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.page_calls import (
    ROWS,
    WORKSPACE,
    WORKSPACES,
    WorkspacePageCall,
    cleaned,
    in_workspace_page,
    router,
)
from dataforge.contexts.workspaces.remotes.commands import RefreshRepo
from dataforge.contexts.workspaces.remotes.commands import refresh_repo as ask_remote
from dataforge.contexts.workspaces.remotes.queries import last_refresh, list_refs
from dataforge.contexts.workspaces.repos import commands, queries, wire
from dataforge.contexts.workspaces.webhooks import commands as webhooks
from dataforge.http.addresses import absolute_address
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of

REPOS = WORKSPACE + "/repos"
REPO = REPOS + "/{repo_id}"
_NEW = {"name": "", "path": "", "remote_url": ""}


@router.get(REPOS)
async def repos_page(
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.REPO)], cursor: Cursor = None
) -> Response:
    """Repos by name, and a form for another one."""
    return await _list(call, _NEW, cursor=cursor)


@router.post(REPOS)
async def create_repo(
    workspace_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CREATE, Kind.REPO)]
) -> Response:
    """Add a repo."""
    given = cleaned(call.form, *_NEW)
    try:
        body = wire.RepoIn.model_validate({name: value for name, value in given.items() if value or name == "name"})
        made = await call.carry_out(commands.create_repo, commands.CreateRepo(workspace_id, **body.model_dump()))
    except (ValidationError, DataForgeError) as error:
        return await _list(call, given, refusal_of(error, given))
    return call.go_on("success", Text("{name} is added.", name=body.name), WORKSPACES, workspace_id, "repos", made)


@router.get(REPO)
async def repo_page(
    repo_id: UUID,
    call: Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.REPO)],
    cursor: Cursor = None,
) -> Response:
    """One repo, with the branches and tags of its remote."""
    return await _one(call, repo_id, cursor=cursor)


@router.post(REPO)
async def change_repo(
    workspace_id: UUID, repo_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.REPO)]
) -> Response:
    """Change it; a remote that is left empty is cleared."""
    given = cleaned(call.form, *_NEW)
    try:
        body = wire.RepoChangeIn.model_validate({**given, "remote_url": given["remote_url"] or None})
        changes = body.model_dump(exclude_unset=True)
        command = commands.ChangeRepo(workspace_id, repo_id, call.form.get("revision", ""), changes)
        await call.carry_out(commands.change_repo, command)
    except (ValidationError, DataForgeError) as error:
        return await _one(call, repo_id, given, refusal_of(error, given))
    return call.go_on("success", Text("The change is saved."), WORKSPACES, workspace_id, "repos", repo_id)


@router.post(REPO + "/delete")
async def delete_repo(
    workspace_id: UUID, repo_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.DELETE, Kind.REPO)]
) -> Response:
    """Delete it."""
    repo = await call.query(queries.get_repo, workspace_id, repo_id, call.user_id)
    try:
        await call.carry_out(commands.delete_repo, commands.DeleteRepo(workspace_id, repo_id))
    except DataForgeError as error:
        return await _one(call, repo_id, refusal=refusal_of(error))
    return call.go_on("success", Text("{name} is deleted.", name=repo["name"]), WORKSPACES, workspace_id, "repos")


@router.post(REPO + "/refresh")
async def refresh_repo(
    workspace_id: UUID, repo_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.REPO)]
) -> Response:
    """Have the remote asked for its branches and tags."""
    command = RefreshRepo(workspace_id, repo_id, call.services(WorkspacesServices).allowed_hosts)
    try:
        job_id = await call.carry_out(ask_remote, command)
    except DataForgeError as error:
        return await _one(call, repo_id, refusal=refusal_of(error))
    await call.platform.send_job(job_id)
    return call.see_other(WORKSPACES, workspace_id, "repos", repo_id)


@router.post(REPO + "/webhook-secret")
async def change_webhook_secret(
    workspace_id: UUID, repo_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.REPO)]
) -> Response:
    """Make a secret for the webhook; it is on this page and on no other."""
    command = webhooks.ChangeWebhookSecret(workspace_id, repo_id, call.services(WorkspacesServices).webhook_secrets)
    try:
        secret = await call.carry_out(webhooks.change_webhook_secret, command)
    except DataForgeError as error:
        return await _one(call, repo_id, refusal=refusal_of(error))
    shown = call.page(
        "workspaces/webhook_secret.html",
        status=201,
        repo=await call.query(queries.get_repo, workspace_id, repo_id, call.user_id),
        secret=secret,
        address=absolute_address(call.request.scope, "/api/repo-webhooks", repo_id),
    )
    shown.headers["Cache-Control"] = "no-store"
    return shown


@router.post(REPO + "/webhook-secret/remove")
async def remove_webhook_secret(
    workspace_id: UUID, repo_id: UUID, call: Annotated[WorkspacePageCall, in_workspace_page(Action.CHANGE, Kind.REPO)]
) -> Response:
    """Take no deliveries any more."""
    try:
        await call.carry_out(webhooks.remove_webhook_secret, webhooks.RemoveWebhookSecret(workspace_id, repo_id))
    except DataForgeError as error:
        return await _one(call, repo_id, refusal=refusal_of(error))
    return call.go_on("success", Text("No deliveries are taken any more."), WORKSPACES, workspace_id, "repos", repo_id)


async def _list(
    call: WorkspacePageCall, given: Mapping[str, str], refusal: Refusal = ACCEPTED, *, cursor: str | None = None
) -> Response:
    page = await call.query(queries.list_repos, call.workspace.id, call.user_id, after=call.after(cursor), limit=ROWS)
    return call.page(
        "workspaces/repos.html",
        refusal=refusal,
        repos=page.rows,
        given=given,
        first=cursor is None,
        following=call.following(page.next_key) if refusal is ACCEPTED else None,
    )


async def _one(
    call: WorkspacePageCall,
    repo_id: UUID,
    given: Mapping[str, str] | None = None,
    refusal: Refusal = ACCEPTED,
    *,
    cursor: str | None = None,
) -> Response:
    workspace_id, person = call.workspace.id, call.user_id
    repo = await call.query(queries.get_repo, workspace_id, repo_id, person)
    after = call.after(cursor) if refusal is ACCEPTED else None
    refs = await call.query(list_refs, workspace_id, repo_id, person, after=after, limit=ROWS)
    return call.page(
        "workspaces/repo.html",
        refusal=refusal,
        repo=repo,
        given=given or {name: repo[name] or "" for name in _NEW},
        refs=refs.rows,
        refresh=await call.query(last_refresh, repo_id, person),
        first=cursor is None,
        following=call.following(refs.next_key) if refusal is ACCEPTED else None,
    )
