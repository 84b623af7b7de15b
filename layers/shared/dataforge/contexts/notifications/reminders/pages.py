"""What reminders would be sent now, to be looked at and sent."""

from typing import Annotated

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.notifications.reminders import commands, queries
from dataforge.contexts.notifications.reminders.wire import SendRemindersIn
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("notifications")
PAGE = "/ui/test-reminders"
_SHOWN = 200


@router.get(PAGE)
async def preview_page(call: Annotated[PageCall, require_page(Action.READ, Kind.REMINDER)]) -> Response:
    """The plan of a run at this instant, exactly as it would be sent."""
    plan = await call.query(queries.reminder_plan, call.platform.clock.now())
    runs = await call.query(queries.list_runs, after=None, limit=10)
    shown, more = plan.reminders[:_SHOWN], max(0, len(plan.reminders) - _SHOWN)
    return call.page("notifications/test_reminders.html", plan=plan, shown=shown, more=more, runs=runs.rows)


@router.post(PAGE)
async def send_page(call: Annotated[PageCall, require_page(Action.CREATE, Kind.REMINDER)]) -> Response:
    """Send what the page showed, or say that it would be something else by now (409)."""
    try:
        # The same model as the API's.
        body = SendRemindersIn.model_validate({name: call.form.get(name, "") for name in SendRemindersIn.model_fields})
    except ValidationError as error:
        message = Text("The form is not as the page gave it; open the page again.")
        raise BadRequest(message) from error
    command = commands.SendReminders(body.at, body.plan_hash)
    result = await run(call.unit_of_work(NotificationsUnitOfWork), commands.send_reminders, command)
    number = result.counts["added"]
    text = (
        Text("1 reminder is on its way.")
        if number == 1
        else Text("{number} reminders are on their way.", number=number)
    )
    return call.go_on("success", text, PAGE)
