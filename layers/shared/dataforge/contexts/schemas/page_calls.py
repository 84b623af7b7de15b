"""The router of the pages of schemas, and calls for the schema of one workspace by somebody who is in it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dataforge.contexts.schemas.designs.domain.document import Design, parse_design
from dataforge.contexts.schemas.designs.pictures import picture_of
from dataforge.contexts.schemas.designs.representations import Drawn
from dataforge.contexts.schemas.designs.texts import Problem, read_target
from dataforge.contexts.schemas.module import SchemasServices
from dataforge.contexts.schemas.plans.commands import KeepPlan, keep_plan
from dataforge.contexts.schemas.plans.previewing import preview
from dataforge.contexts.schemas.tables import memberships, workspace_directory
from dataforge.contexts.schemas.unit_of_work import SchemasUnitOfWork
from dataforge.contexts.workspaces.contract import Memberships
from dataforge.kernel.access import Action, Kind, MemberRole, Resource
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import allows
from dataforge.platform.db.unit_of_work import Command, Result, run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.forms import ACCEPTED, Refusal
from dataforge.web.routing import page_router

router = page_router("schemas")
SCHEMAS_PAGES = "/ui/schemas"
SCHEMA_PAGE = SCHEMAS_PAGES + "/{workspace_id}"
ROWS = 50
MOST_WORKSPACES = 200  # to choose from


@dataclass(frozen=True, slots=True)
class WorkspaceSeen:
    """A workspace as its pages show it to a member with this role."""

    id: UUID
    name: str
    archived_at: datetime | None
    role: MemberRole


async def read_workspace(connection: AsyncConnection, workspace_id: UUID, user_id: UUID) -> WorkspaceSeen:
    """The workspace, of which whoever asks is known to be a member."""
    directory = workspace_directory.c
    query = (
        select(directory.workspace_id, directory.name, directory.archived_at, memberships.c.role)
        .join(memberships, memberships.c.workspace_id == directory.workspace_id)
        .where(directory.workspace_id == workspace_id, memberships.c.user_id == user_id)
    )
    row = (await connection.execute(query)).one()
    return WorkspaceSeen(row.workspace_id, row.name, row.archived_at, MemberRole(row.role))


async def list_other_workspaces(
    connection: AsyncConnection, workspace_id: UUID, user_id: UUID
) -> list[tuple[str, str]]:
    """Ids and names of the other workspaces that the person may plan in, by name."""
    directory = workspace_directory.c
    query = (
        select(directory.workspace_id, directory.name, memberships.c.role)
        .join(memberships, memberships.c.workspace_id == directory.workspace_id)
        .where(
            memberships.c.user_id == user_id, directory.workspace_id != workspace_id, directory.archived_at.is_(None)
        )
        .order_by(func.lower(directory.name), directory.workspace_id)
        .limit(MOST_WORKSPACES)
    )
    return [
        (str(row.workspace_id), row.name)
        for row in await connection.execute(query)
        if MemberRole(row.role).covers(MemberRole.EDITOR)
    ]


class SchemaPageCall(PageCall):
    """A call about the schema of one workspace; pages show what the member may do with it, and nothing else."""

    def __init__(
        self, request: Request, principal: Principal, form: Mapping[str, str], workspace: WorkspaceSeen
    ) -> None:
        super().__init__(request, principal, form)
        self.workspace = workspace

    @property
    def schemas(self) -> SchemasServices:
        """The services of schemas."""
        return self.services(SchemasServices)

    def may(self, action: str, kind: str) -> bool:
        """Whether the member's role allows it, and the workspace does if it is no reading."""
        asked, resource = Action(action), Resource(Kind(kind), workspace=self.workspace.id)
        if self.workspace.archived_at is not None and not asked.reads:
            return False
        return allows(self.principal, asked, resource, member=self.workspace.role)

    def page(self, template: str, *, status: int = 200, refusal: Refusal = ACCEPTED, **values: object) -> HTMLResponse:
        """A page about the schema."""
        shown = {"workspace": self.workspace, "may": self.may, **values}
        return super().page(template, status=status, refusal=refusal, **shown)

    async def carry_out(
        self, handler: Callable[[Command, SchemasUnitOfWork], Awaitable[Result]], command: Command
    ) -> Result:
        """What a command answers."""
        return await run(self.unit_of_work(SchemasUnitOfWork), handler, command)

    async def keep_plan(self, target: Mapping[str, Any], *, back_to: int | None = None) -> UUID:
        """Plan the way from the live schema to a target, and keep the plan; takes and raises what `preview` does."""
        found = await preview(self.schemas, self.workspace.id, target, back_to=back_to)
        command = KeepPlan(self.workspace.id, target, found.plan, found.warnings, found.affected)
        row = await self.carry_out(keep_plan, command)
        plan_id: UUID = row["id"]
        return plan_id


def in_schema_page(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a page says of who may see it: `Annotated[SchemaPageCall, in_schema_page(Action.READ, Kind.SCHEMA)]`.

    Answers 404 to everybody who is not a member of the workspace, and refuses roles that may not, as the API does.
    """

    async def schema_page(workspace_id: UUID, call: Annotated[PageCall, require_page(action, kind)]) -> SchemaPageCall:
        await call.services(Memberships).require(workspace_id, call.user_id, action, kind)
        workspace = await call.query(read_workspace, workspace_id, call.user_id)
        return SchemaPageCall(call.request, call.principal, call.form, workspace)

    return Depends(schema_page)


MOST_ASKED = 50  # questions on one page


def lines_of_form(form: Mapping[str, str], name: str) -> str:
    """The text of a text area; browsers send its lines with CR LF."""
    return form.get(name, "").replace("\r\n", "\n")


def show_editor(
    call: SchemaPageCall,
    text: str,
    *,
    design: Design | None = None,
    problems: Sequence[Problem] = (),
    warnings: Sequence[Problem] = (),
    questions: Sequence[Any] = (),
    checked: bool = False,
    refusal: Refusal = ACCEPTED,
) -> Response:
    """The editor with this text; of one that can be read the tables are shown."""
    if design is None:
        try:
            design = parse_design(read_target(text))
        except DataForgeError:
            design = None
    return call.page(
        "schemas/editor.html",
        refusal=refusal,
        text=text,
        problems=problems,
        warnings=warnings,
        questions=questions[:MOST_ASKED],
        checked=checked,
        schema=None if design is None else design.schema,
        picture=None if design is None else picture_of(Drawn(design.schema, "Target")),
    )
