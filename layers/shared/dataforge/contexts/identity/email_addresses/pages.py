"""Pages that links about e-mail addresses lead to: opening one changes nothing, since mail scanners open them, too."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from dataforge.contexts.identity.email_addresses import commands
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.call import Call
from dataforge.kernel.errors import BadRequest
from dataforge.platform.db.unit_of_work import run
from dataforge.web import flash
from dataforge.web.calls import PublicForm, public_page
from dataforge.web.routing import page_router, see_other

router = page_router("identity")
Token = Annotated[str, Query(max_length=200)]
CONFIRM, STOP = "/ui/confirm-email", "/ui/stop-email-change"


@router.get(CONFIRM)
async def confirm_page(request: Request, token: Token = "") -> Response:
    """Asks whether the address is to be confirmed."""
    return public_page(request, "identity/confirm_email.html", {"token": token})


@router.post(CONFIRM)
async def confirm_email(request: Request, form: PublicForm) -> Response:
    """Confirm it."""
    token = form.get("token", "")
    try:
        email = await run(Call.of_anybody(request).unit_of_work(IdentityUnitOfWork), commands.confirm_email, token)
    except BadRequest as error:
        return public_page(request, "identity/confirm_email.html", {"token": token}, error)
    return flash.leave(see_other(request.scope, "/ui"), request.scope, "success", f"{email} is confirmed.")


@router.get(STOP)
async def stop_page(request: Request, token: Token = "") -> Response:
    """Asks whether the change is to be stopped."""
    return public_page(request, "identity/stop_email_change.html", {"token": token})


@router.post(STOP)
async def stop_email_change(request: Request, form: PublicForm) -> Response:
    """Stop it."""
    token = form.get("token", "")
    try:
        email = await run(Call.of_anybody(request).unit_of_work(IdentityUnitOfWork), commands.stop_email_change, token)
    except BadRequest as error:
        return public_page(request, "identity/stop_email_change.html", {"token": token}, error)
    text = f"{email} stays your address, and every sign-in has ended. Set another password now."
    return flash.leave(see_other(request.scope, "/ui/forgot-password"), request.scope, "success", text)
