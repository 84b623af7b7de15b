"""Pages that links about e-mail addresses lead to, and the one where an address is changed.

Opening a link changes nothing, since mail scanners open them, too.
"""

from functools import partial
from typing import Annotated

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.identity.accounts import commands as accounts
from dataforge.contexts.identity.accounts.queries import get_user
from dataforge.contexts.identity.accounts.wire import ProfileIn
from dataforge.contexts.identity.email_addresses import commands
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import BadRequest, Conflict, TooManyRequests
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.db.unit_of_work import run
from dataforge.web import flash
from dataforge.web.calls import PageCall, PublicForm, public_page, require_page
from dataforge.web.routing import page_router, see_other

router = page_router("identity")
Token = Annotated[str, Query(max_length=200)]
CONFIRM, STOP, ADDRESS = "/ui/confirm-email", "/ui/stop-email-change", "/ui/account/email"


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
    return flash.leave(
        see_other(request.scope, "/ui"), request.scope, "success", Text("{email} is confirmed.", email=email)
    )


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
    text = Text("{email} stays your address, and every sign-in has ended. Set another password now.", email=email)
    return flash.leave(see_other(request.scope, "/ui/forgot-password"), request.scope, "success", text)


@router.get(ADDRESS)
async def address_page(call: Annotated[PageCall, require_page(Action.CHANGE, Kind.EMAIL_ADDRESS)]) -> Response:
    """The address, whether it is confirmed, and one that is to replace it."""
    return await _address_page(call)


@router.post(ADDRESS)
async def change_address(call: Annotated[PageCall, require_page(Action.CHANGE, Kind.EMAIL_ADDRESS)]) -> Response:
    """Have another address confirmed, which then replaces the present one."""
    email = call.form.get("email", "").strip()
    try:
        changes = ProfileIn(email=email).model_dump(exclude_unset=True)
        command = accounts.ChangeUser(call.user_id, "*", changes)
        await run(call.unit_of_work(IdentityUnitOfWork), accounts.change_user, command)
    except ValidationError as error:
        return await _address_page(
            call, email, Text("The address {plain_message}.", plain_message=plain_message(error.errors()[0]))
        )
    except BadRequest as error:
        return await _address_page(call, email, error.detail)
    text = Text(
        "A link is on its way to {email}. The address counts once you have followed it.", email=changes["email"]
    )
    return call.go_on("info", text, ADDRESS)


@router.post(f"{ADDRESS}/confirmation")
async def send_confirmation(call: Annotated[PageCall, require_page(Action.CHANGE, Kind.EMAIL_ADDRESS)]) -> Response:
    """Have the link mailed again."""
    request = partial(commands.request_confirmation, limits=call.services(IdentityServices).try_limits)
    try:
        await run(call.unit_of_work(IdentityUnitOfWork), request, call.user_id)
    except (Conflict, TooManyRequests) as error:
        return await _address_page(call, error=error.detail)
    return call.go_on("info", Text("The link is on its way."), ADDRESS)


async def _address_page(call: PageCall, email: str = "", error: str | None = None) -> Response:
    user = await call.query(get_user, call.user_id)
    status = 400 if error else 200
    return call.page("identity/email_address.html", status=status, user=user, email=email, error=error)
