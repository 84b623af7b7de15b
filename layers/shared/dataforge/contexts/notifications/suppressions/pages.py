"""The page that the link in a mail leads to."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.contexts.notifications.suppressions.commands import Suppress, suppress
from dataforge.contexts.notifications.suppressions.domain import LABELS, Reason
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.http.call import Call
from dataforge.platform.db.unit_of_work import run
from dataforge.web import session
from dataforge.web.calls import PublicForm, Visitor
from dataforge.web.routing import page_router
from dataforge.web.templates import page, render

router = page_router("notifications")
Token = Annotated[str, Query(min_length=1, max_length=500)]


@router.get("/ui/unsubscribe")
async def unsubscribe_page(request: Request, person: Visitor, token: Token) -> Response:  # noqa: ARG001 - shown in the head
    """Ask; only the button unsubscribes."""
    _, scope = Call.of_anybody(request).services(NotificationsServices).unsubscribe_links.open(token)
    shown = page(request.scope, "notifications/unsubscribe.html", token=token, what=LABELS[scope], done=False)
    return session.keep_form_owner(shown, request.scope)


@router.post("/ui/unsubscribe")
async def unsubscribe(request: Request, form: PublicForm) -> Response:
    """Stop mail to the address the link was sent to."""
    call = Call.of_anybody(request)
    email_hash, scope = call.services(NotificationsServices).unsubscribe_links.open(form.get("token", ""))
    command = Suppress(email_hash, scope, Reason.UNSUBSCRIBE)
    await run(call.unit_of_work(NotificationsUnitOfWork), suppress, command)
    values = {"token": "", "what": LABELS[scope], "done": True}
    return render(request.scope, "notifications/unsubscribe.html", values)
