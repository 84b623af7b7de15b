"""What came for addresses before they were proved, for administrators: shown, and given with one button."""

from functools import partial
from typing import Annotated

from starlette.responses import Response

from dataforge.contexts.identity.attributions import commands, wire
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork as Work
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.platform.attributions import AttributionRegister
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("identity")

PAGE = "/ui/admin/attributions"


@router.get(PAGE)
async def attributions_page(call: Annotated[PageCall, require_page(Action.READ, Kind.ATTRIBUTION)]) -> Response:
    """Who would gain what, and who has it now."""
    return await _planned(call)


@router.post(PAGE)
async def apply_page(call: Annotated[PageCall, require_page(Action.APPLY, Kind.ATTRIBUTION)]) -> Response:
    """Give what the page has shown."""
    handler = partial(commands.apply_attributions, register=call.platform.get(AttributionRegister))
    command = commands.ApplyAttributions(call.form.get("plan_hash", ""))
    try:
        outcome = await run(call.unit_of_work(Work), handler, command)
    except DataForgeError as error:
        return await _planned(call, error)
    given = ", ".join(f"{count:,} {kind}" for kind, count in sorted(outcome.records.items())) or "Nothing"
    return call.go_on("success", Text("{given} went to {people} people.", given=given, people=outcome.people), PAGE)


async def _planned(call: PageCall, error: DataForgeError | None = None) -> Response:
    handler = partial(commands.plan_attributions, register=call.platform.get(AttributionRegister))
    plan = wire.plan_out(await run(call.unit_of_work(Work), handler, commands.PlanAttributions()))
    status, said = (200, None) if error is None else (error.status, error.detail)
    return call.page("identity/attributions.html", status=status, plan=plan, error=said)
