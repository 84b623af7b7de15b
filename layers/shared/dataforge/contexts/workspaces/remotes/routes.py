"""REST of the refs of repos."""

from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.workspaces.module import WorkspacesServices
from dataforge.contexts.workspaces.remotes import commands, queries, wire
from dataforge.contexts.workspaces.remotes.domain import RefKind
from dataforge.contexts.workspaces.routing import in_workspace, page_of, router
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork as Work
from dataforge.http.call import Call
from dataforge.http.jobs import QueuedJobOut, queue_and_answer
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT

REPO = "/api/workspaces/{workspace_id}/repos/{repo_id}"


@router.post(REPO + "/refresh", status_code=202, response_model=QueuedJobOut)
async def refresh_repo(
    workspace_id: UUID, repo_id: UUID, call: Annotated[Call, in_workspace(Action.CHANGE, Kind.REPO)]
) -> Response:
    """Ask the remote for its branches and tags, for editors: over https, and public hosts only.

    What it lists takes the place of what is kept; the job says how many there are, 10,000 at most.
    """
    command = commands.RefreshRepo(workspace_id, repo_id, call.services(WorkspacesServices).allowed_hosts)
    return await queue_and_answer(call, Work, commands.refresh_repo, command)


@router.get(REPO + "/refs", response_model=wire.RepoRefPage)
async def list_refs(
    workspace_id: UUID,
    repo_id: UUID,
    call: Annotated[Call, in_workspace(Action.READ, Kind.REPO)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    kind: RefKind | None = None,
) -> Response:
    """Branches, then tags, by name, as of the last refresh and the webhooks since."""
    page = await call.query(
        queries.list_refs, workspace_id, repo_id, call.user_id, after=call.after(cursor), limit=limit, kind=kind
    )
    return page_of(call, page, wire.RepoRefOut, limit=limit)
