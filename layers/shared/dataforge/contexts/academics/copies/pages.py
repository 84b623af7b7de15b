"""Semesters: their dates and holidays, and a copy of one that is seen before it is made."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.academics.access import may
from dataforge.contexts.academics.catalog.queries import get_semester, list_semesters
from dataforge.contexts.academics.copies import commands, wire
from dataforge.contexts.academics.copies.domain import CopyOptions
from dataforge.contexts.academics.meetings.commands import SetHolidays, set_holidays
from dataforge.contexts.academics.meetings.domain import Holiday
from dataforge.contexts.academics.meetings.queries import list_holidays
from dataforge.contexts.academics.sections.domain import WEEKDAYS
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("academics")
PAGE = "/ui/semesters"
SEMESTER = PAGE + "/{semester_id}"
_ROWS = 50


@router.get(PAGE)
async def semesters_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.SEMESTER)], cursor: Cursor = None
) -> Response:
    """Semesters, the latest first."""
    page = await call.query(list_semesters, after=call.after(cursor), limit=_ROWS)
    following = call.following(page.next_key)
    return call.page("academics/semesters.html", semesters=page.rows, following=following, first=cursor is None)


@router.get(SEMESTER)
async def semester_page(
    semester_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.SEMESTER)]
) -> Response:
    """A semester with its holidays, and what registrars do with it."""
    return await _semester(call, semester_id)


@router.post(SEMESTER + "/holidays")
async def holidays_page(
    semester_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.SEMESTER)]
) -> Response:
    """Add a holiday, or remove the one that begins on a day."""
    form = call.form
    known = await call.query(list_holidays, semester_id)
    holidays = [Holiday(day["starts_on"], day["ends_on"], day["name"]) for day in known["holidays"]]
    try:
        wanted = _changed(holidays, form)
        command = SetHolidays(semester_id, form.get("revision", ""), wanted)
        await run(call.unit_of_work(Work), set_holidays, command)
    except ValueError:
        return await _semester(call, semester_id, Text("A holiday has a name and days."))
    except DataForgeError as error:
        return await _semester(call, semester_id, error.detail, error.status)
    return call.go_on("success", Text("The holidays are kept."), PAGE, semester_id)


@router.post(SEMESTER + "/copies/preview")
async def preview_copy_page(
    semester_id: UUID, call: Annotated[PageCall, require_page(Action.CREATE, Kind.SEMESTER)]
) -> Response:
    """What a copy would have, and a button that makes it."""
    form = call.form
    given = {"code": form.get("code", "").strip(), "starts_on": form.get("starts_on") or None}
    try:
        body = wire.CopyIn.model_validate({**given, "instructors": "instructors" in form}, strict=False)
        options = CopyOptions(body.code, body.starts_on, body.instructors)
        plan = await run(call.unit_of_work(Work), commands.plan_copy, commands.PlanCopy(semester_id, options))
    except ValidationError:
        message = Text("A copy has a code of letters, digits, spaces and ._/+-, and a first day.")
        return await _semester(call, semester_id, message)
    except DataForgeError as error:
        return await _semester(call, semester_id, error.detail, error.status)
    semester = await call.query(get_semester, semester_id)
    return call.page("academics/copy.html", semester=semester, plan=plan, weekdays=WEEKDAYS)


@router.post(SEMESTER + "/copies")
async def copy_page(
    semester_id: UUID, call: Annotated[PageCall, require_page(Action.CREATE, Kind.SEMESTER)]
) -> Response:
    """Make the copy that was previewed."""
    command = commands.ApplyCopy(semester_id, call.form.get("plan_hash", ""))
    try:
        plan = await run(call.unit_of_work(Work), commands.apply_copy, command)
    except DataForgeError as error:
        return await _semester(call, semester_id, error.detail, error.status)
    made: Mapping[str, Any] = plan.preview["semester"]
    return call.go_on("success", Text("The semester {code} is there.", code=made["code"]), PAGE, made["id"])


async def _semester(call: PageCall, semester_id: UUID, error: str | None = None, status: int = 400) -> Response:
    semester = await call.query(get_semester, semester_id)
    known = await call.query(list_holidays, semester_id)
    return call.page(
        "academics/semester.html",
        status=status if error else 200,
        semester=semester,
        holidays=known["holidays"],
        keeps=may(call.principal, Action.CHANGE, Kind.SEMESTER),
        given={name: call.form.get(name, "") for name in ("name", "code", "starts_on")},
        error=error,
    )


def _changed(holidays: Sequence[Holiday], form: Mapping[str, str]) -> list[Holiday]:
    """The holidays as a form wants them; raises ValueError for what is no day or has no name."""
    if "remove" in form:
        removed = date.fromisoformat(form["remove"])
        return [day for day in holidays if day.starts_on != removed]
    name = form.get("name", "").strip()
    if not 1 <= len(name) <= 255:
        raise ValueError(name)
    first = date.fromisoformat(form.get("starts_on", ""))
    return [*holidays, Holiday(first, date.fromisoformat(form.get("ends_on") or str(first)), name)]
