"""One-click unsubscribing for mail programs (RFC 8058)."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.contexts.notifications.suppressions.commands import Suppress, suppress
from dataforge.contexts.notifications.suppressions.domain import Reason
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.call import Call
from dataforge.http.openapi import UNKEYED

router = context_router("notifications")
Token = Annotated[str, Query(min_length=1, max_length=500, description="the token of the link in the mail")]


@router.post("/api/unsubscribe", response_class=PlainTextResponse, openapi_extra={UNKEYED: True})
async def unsubscribe(request: Request, token: Token) -> Response:
    """Stop mail to the address the link was sent to (RFC 8058 §3.2); nobody signs in, and it may be repeated.

    A GET changes nothing, because scanners follow every link of a mail.
    """
    call = Call.of_anybody(request)
    email_hash, scope = call.services(NotificationsServices).unsubscribe_links.open(token)
    command = Suppress(email_hash, scope, Reason.UNSUBSCRIBE)
    return await call.execute(NotificationsUnitOfWork, suppress, command, lambda _: PlainTextResponse("Unsubscribed."))


@router.get("/api/unsubscribe", status_code=303, response_class=RedirectResponse)
async def show_unsubscribe_page(request: Request, token: Token) -> Response:
    """Lead to the page that asks; for mail programs that open the link instead of posting to it."""
    links = Call.of_anybody(request).services(NotificationsServices).unsubscribe_links
    return RedirectResponse(links.link(*links.open(token)).page, status_code=303)
