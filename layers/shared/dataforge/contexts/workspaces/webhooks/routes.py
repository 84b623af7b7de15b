"""REST of webhooks: the secret of a repo, and where deliveries come."""

from typing import Annotated
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.routing import in_workspace, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.contexts.workspaces.webhooks import commands, wire
from dataforge.http.call import Call, json_response
from dataforge.http.caller import client_address
from dataforge.http.openapi import UNKEYED
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run

SECRET = "/api/workspaces/{workspace_id}/repos/{repo_id}/webhook-secret"  # noqa: S105 - an address
DELIVERIES = "/api/repo-webhooks"
_BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}


@router.post(SECRET, status_code=201, response_model=wire.WebhookSecretOut, openapi_extra={UNKEYED: True})
async def change_webhook_secret(
    workspace_id: UUID, repo_id: UUID, call: Annotated[Call, in_workspace(Action.CHANGE, Kind.REPO)]
) -> Response:
    """Make a secret for the webhook of a repo, for editors; it is shown this once, and the one before is void."""
    command = commands.ChangeWebhookSecret(workspace_id, repo_id, call.services(WorkspacesServices).webhook_secrets)
    secret = await run(call.unit_of_work(Work), commands.change_webhook_secret, command)
    shown = {"secret": secret, "url": call.address(DELIVERIES, repo_id)}
    return json_response(shown, status=201, headers={"Cache-Control": "no-store"})


@router.delete(SECRET, status_code=204)
async def remove_webhook_secret(
    workspace_id: UUID, repo_id: UUID, call: Annotated[Call, in_workspace(Action.CHANGE, Kind.REPO)]
) -> Response:
    """Take no deliveries for a repo any more, for editors."""
    command = commands.RemoveWebhookSecret(workspace_id, repo_id)
    return await call.execute(Work, commands.remove_webhook_secret, command, lambda _: json_response(None, status=204))


@router.post(
    DELIVERIES + "/{repo_id}", response_model=wire.DeliveryOut, openapi_extra={UNKEYED: True, "requestBody": _BODY}
)
async def take_delivery(repo_id: UUID, request: Request) -> Response:
    """Take what GitHub, GitLab, Gitea or Forgejo send when something was pushed, signed with the repo's secret.

    Pushes of branches and tags are kept, once for each delivery; all else is answered and passed over.
    """
    call = Call.of_anybody(request)
    await run(call.unit_of_work(Work), commands.admit_delivery, client_address(request))
    headers = dict(request.headers)
    box = call.services(WorkspacesServices).webhook_secrets
    command = commands.TakeDelivery(repo_id, headers, await request.body(), box)
    outcome = await run(call.unit_of_work(Work), commands.take_delivery, command)
    return json_response({"status": outcome})
