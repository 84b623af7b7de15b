"""The router of the pages of workspaces, and calls for one workspace by somebody who is in it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.contexts.workspaces.workspaces.domain import Workspace
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.principal import Principal
from dataforge.platform.db.unit_of_work import Command, Result, run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.forms import ACCEPTED, Refusal
from dataforge.web.routing import page_router

router = page_router("workspaces")
WORKSPACES = "/ui/workspaces"
WORKSPACE = WORKSPACES + "/{workspace_id}"
ROWS = 50


class WorkspacePageCall(PageCall):
    """A call for one workspace; pages show what the member may do in it, and nothing else."""

    def __init__(self, request: Request, principal: Principal, form: Mapping[str, str], workspace: Workspace) -> None:
        super().__init__(request, principal, form)
        self.workspace = workspace

    def may(self, action: str, kind: str) -> bool:
        """Whether the member's role allows it, and the workspace does if it is no reading."""
        asked, about = Action(action), Kind(kind)
        try:
            self.workspace.require(asked, about)
            if not asked.reads:
                self.workspace.require_open()
        except DataForgeError:
            return False
        return True

    def page(self, template: str, *, status: int = 200, refusal: Refusal = ACCEPTED, **values: object) -> HTMLResponse:
        """A page of the workspace."""
        shown = {"workspace": self.workspace, "may": self.may, **values}
        return super().page(template, status=status, refusal=refusal, **shown)

    async def carry_out(
        self, handler: Callable[[Command, WorkspacesUnitOfWork], Awaitable[Result]], command: Command
    ) -> Result:
        """What a command answers."""
        return await run(self.unit_of_work(WorkspacesUnitOfWork), handler, command)


def in_workspace_page(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a page says of who may see it: `Annotated[WorkspacePageCall, in_workspace_page(Action.READ, Kind.REPO)]`.

    Answers 404 to everybody who is not a member. A page that is looked at is refused to roles that may not; what a form
    asks for is decided by its command.
    """

    async def workspace_page(
        workspace_id: UUID, call: Annotated[PageCall, require_page(action, kind)]
    ) -> WorkspacePageCall:
        workspace = await call.query(seen_workspace, workspace_id, call.user_id)
        if call.request.method in ("GET", "HEAD"):
            workspace.require(action, kind)
        return WorkspacePageCall(call.request, call.principal, call.form, workspace)

    return Depends(workspace_page)


def cleaned(form: Mapping[str, str], *names: str) -> dict[str, str]:
    """These fields of a form without spaces around them, as it is shown again."""
    return {name: form.get(name, "").strip() for name in names}
