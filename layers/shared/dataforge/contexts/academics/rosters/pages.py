"""Plans of rosters for registrars: what there is, what each row would do, and applying one."""

from typing import Annotated, Any
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.academics.catalog.queries import list_semesters
from dataforge.contexts.academics.rosters import commands, queries
from dataforge.contexts.academics.rosters.domain.rows import RowAction
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.paging import MAX_LIMIT
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import Chosen, ChosenId, PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("academics")
PAGE = "/ui/rosters"
_ROWS = 50
_STATES = ("planned", "applied")
# What people look for first: what a plan changes, and what it could not use.
_ACTIONS = (RowAction.CREATE, RowAction.CHANGE, RowAction.DROP, RowAction.CONFLICT, RowAction.KEPT, RowAction.IGNORED)


@router.get(PAGE)
async def rosters_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.ROSTER_PLAN)],
    cursor: Cursor = None,
    semester_id: ChosenId = None,
    state: Annotated[str | None, Chosen] = None,
) -> Response:
    """Plans with their history, the newest first."""
    state = state if state in _STATES else None
    page = await call.query(
        queries.list_plans, after=call.after(cursor), limit=_ROWS, semester_id=semester_id, state=state
    )
    semesters = await call.query(list_semesters, after=None, limit=MAX_LIMIT)
    return call.page(
        "academics/rosters.html",
        plans=page.rows,
        semesters=[(row["id"], row["code"]) for row in semesters.rows],
        states=_STATES,
        chosen={"semester_id": semester_id, "state": state},
        following=call.following(page.next_key),
        first=cursor is None,
    )


@router.get(PAGE + "/template.csv")
async def template_page(_call: Annotated[PageCall, require_page(Action.READ, Kind.ROSTER_PLAN)]) -> Response:
    """The template as spreadsheets take it: with a byte order mark."""
    from dataforge.contexts.academics.rosters.domain.template import Separator, simple_template

    headers = {"Content-Disposition": 'attachment; filename="roster.csv"'}
    content = simple_template(Separator.COMMA, excel=True)
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get(PAGE + "/{plan_id}")
async def roster_page(
    plan_id: UUID,
    call: Annotated[PageCall, require_page(Action.READ, Kind.ROSTER_PLAN)],
    cursor: Cursor = None,
    action: Annotated[RowAction | None, Chosen] = None,
) -> Response:
    """One plan with its rows, before and after; and a button while it waits."""
    return await _plan(call, plan_id, cursor=cursor, action=action)


@router.post(PAGE + "/{plan_id}/apply")
async def apply_page(
    plan_id: UUID, call: Annotated[PageCall, require_page(Action.APPLY, Kind.ROSTER_PLAN)]
) -> Response:
    """Apply the plan that the page showed; what refuses it is shown with it."""
    drops = call.form.get("drops", "")
    command = commands.ApplyRoster(plan_id, call.form.get("plan_hash", ""), int(drops) if drops.isdecimal() else None)
    try:
        await run(call.unit_of_work(Work), commands.apply_roster, command)
    except DataForgeError as error:
        return await _plan(call, plan_id, error=error)
    return call.go_on("success", Text("The roster is applied."), PAGE, plan_id)


async def _plan(
    call: PageCall,
    plan_id: UUID,
    *,
    cursor: str | None = None,
    action: RowAction | None = None,
    error: DataForgeError | None = None,
) -> Response:
    plan = await call.query(queries.get_plan, plan_id)
    rows = await call.query(queries.list_rows, plan_id, after=call.after(cursor), limit=_ROWS, action=action, kind=None)
    return call.page(
        "academics/roster.html",
        status=200 if error is None else error.status,
        plan=plan,
        counts=_counts(plan),
        actions=[item.value for item in _ACTIONS],
        action=None if action is None else action.value,
        rows=rows.rows,
        following=call.following(rows.next_key),
        first=cursor is None,
        error=None if error is None else error.detail,
    )


def _counts(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """What a plan does by kind of row, in words."""
    return [
        (kind, ", ".join(f"{number} {action}" for action, number in sorted(found.items())))
        for kind, found in sorted(plan["counts"].items())
    ]
