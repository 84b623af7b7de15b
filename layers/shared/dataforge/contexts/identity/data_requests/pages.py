"""One's own data, and for administrators a person's: export, and erasure by a plan."""

from functools import partial
from typing import Annotated
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from dataforge.contexts.identity.accounts.queries import get_user
from dataforge.contexts.identity.data_requests import calls, commands, queries
from dataforge.contexts.identity.data_requests.domain import KEPT_FOR, require_allowed
from dataforge.contexts.identity.second_factor.queries import get_second_factor
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork as Work
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, Forbidden, TooManyRequests, Unauthenticated
from dataforge.kernel.plans import Plan
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web import flash, session
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router, see_other

router = page_router("identity")
PAGE, PERSON_PAGE = "/ui/account/data", "/ui/admin/person-data"
Reading = Annotated[PageCall, require_page(Action.READ, Kind.PERSON)]
Exporting = Annotated[PageCall, require_page(Action.EXPORT, Kind.PERSON)]
Erasing = Annotated[PageCall, require_page(Action.DELETE, Kind.PERSON)]


@router.get(PAGE)
async def my_data_page(call: Reading) -> Response:
    """One's exports, and a way to be forgotten."""
    return await _page(call, call.user_id)


@router.get(f"{PERSON_PAGE}/{{user_id}}")
async def person_data_page(user_id: UUID, call: Reading) -> Response:
    """A person's exports, and the way to forget them."""
    return await _page(call, user_id)


@router.post(f"{PAGE}/export")
async def export_my_data(call: Exporting) -> Response:
    """Have one's data written to a file."""
    return await _export(call, call.user_id)


@router.post(f"{PERSON_PAGE}/{{user_id}}/export")
async def export_person_data(user_id: UUID, call: Exporting) -> Response:
    """Have a person's data written to a file."""
    return await _export(call, user_id)


@router.get(f"{PAGE}/exports/{{job_id}}")
async def download_export(job_id: UUID, call: Exporting) -> Response:
    """Lead to the file; the audit log notes it. A form could not: our pages' forms go nowhere else."""
    url, _ = await calls.export_url(call, job_id)
    return RedirectResponse(url, status_code=303)


@router.post(f"{PAGE}/erasure-plan")
async def plan_my_erasure(call: Erasing) -> Response:
    """Show what would go before it goes."""
    return await _plan(call, call.user_id)


@router.post(f"{PERSON_PAGE}/{{user_id}}/erasure-plan")
async def plan_person_erasure(user_id: UUID, call: Erasing) -> Response:
    """Show what would go before it goes."""
    return await _plan(call, user_id)


@router.post(f"{PAGE}/erasure")
async def erase(call: Erasing) -> Response:
    """Erase whom the plan is about; who has erased themselves is signed out."""
    plan = await run(call.unit_of_work(Work), commands.find_plan, call.form.get("plan_hash", ""))
    user_id = UUID(plan.inputs["user_id"])
    try:
        await calls.prove(call, plan, call.form.get("password", ""), call.form.get("code", ""))
    except (Unauthenticated, Forbidden, TooManyRequests) as error:
        return await _planned(call, user_id, plan, error)
    apply = partial(commands.apply_erasure, contributions=calls.contributions(call))
    job_id = await run(call.unit_of_work(Work), apply, commands.ApplyErasure(plan.plan_hash))
    await call.platform.send_job(job_id)
    if user_id != call.user_id:
        return call.go_on("success", Text("The person is being erased; the job goes on by itself."), "/ui/status")
    scope = call.request.scope
    said = flash.leave(see_other(scope, "/ui/sign-in"), scope, "success", Text("Your account is being erased."))
    return session.end(said, scope)


def _base(call: PageCall, user_id: UUID) -> tuple[object, ...]:
    return (PAGE,) if user_id == call.user_id else (PERSON_PAGE, user_id)


def _template(call: PageCall, user_id: UUID) -> str:
    return "web/account.html" if user_id == call.user_id else "web/layout.html"


async def _page(call: PageCall, user_id: UUID) -> Response:
    require_allowed(call.principal, user_id)
    return call.page(
        "identity/personal_data.html",
        frame=_template(call, user_id),
        base=_base(call, user_id),
        person=await call.query(get_user, user_id),
        exports=await call.query(queries.list_exports, user_id),
        kept_days=KEPT_FOR.days,
        now=call.platform.clock.now() - KEPT_FOR,
    )


async def _export(call: PageCall, user_id: UUID) -> Response:
    job_id = await run(call.unit_of_work(Work), commands.request_export, commands.RequestExport(user_id))
    await call.platform.send_job(job_id)
    path, *segments = _base(call, user_id)
    text = Text("The file is being made. It takes a minute or more; this page shows when it is ready.")
    return call.go_on("success", text, str(path), *segments)


async def _plan(call: PageCall, user_id: UUID) -> Response:
    plan = await calls.plan_of(call, user_id, responses="responses" in call.form)
    return await _planned(call, user_id, plan)


async def _planned(call: PageCall, user_id: UUID, plan: Plan, error: DataForgeError | None = None) -> Response:
    return call.page(
        "identity/erasure_plan.html",
        status=200 if error is None else error.status,
        frame=_template(call, user_id),
        base=_base(call, user_id),
        own=user_id == call.user_id,
        needs_code=(await call.query(get_second_factor, user_id))["on"],
        plan=plan,
        error=error,
    )
