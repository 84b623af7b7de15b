"""Pages for a password that is forgotten or was never set, and for changing it."""

from functools import partial
from typing import Annotated

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.identity.accounts.domain import PASSWORD_MIN
from dataforge.contexts.identity.passwords import commands
from dataforge.contexts.identity.passwords.wire import PasswordIn, ResetIn, ResetRequestIn
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.call import Call
from dataforge.http.caller import client_address
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import BadRequest, DataForgeError, TooManyRequests, Unauthenticated, ValidationFailed
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.db.unit_of_work import run
from dataforge.web import flash
from dataforge.web.calls import PageCall, PublicForm, public_page, require_page
from dataforge.web.routing import page_router, see_other

router = page_router("identity")
FORGOT, RESET, SIGN_IN = "/ui/forgot-password", "/ui/reset-password", "/ui/sign-in"
CHANGE = "/ui/account/password"
Token = Annotated[str, Query(max_length=200)]


@router.get(FORGOT)
async def forgot_page(request: Request) -> Response:
    """Asks for the address."""
    return public_page(request, "identity/forgot_password.html", {"email": ""})


@router.post(FORGOT)
async def request_reset(request: Request, form: PublicForm) -> Response:
    """Have the link mailed; what is answered does not tell whether anybody has the address."""
    email = form.get("email", "")
    call = Call.of_anybody(request)
    request_reset = partial(commands.request_reset, limits=call.services(IdentityServices).try_limits)
    try:
        command = commands.RequestReset(ResetRequestIn(email=email).email, client_address(request))
        await run(call.unit_of_work(IdentityUnitOfWork), request_reset, command)
    except ValidationError as error:
        return public_page(request, "identity/forgot_password.html", {"email": email}, _refused(error))
    except TooManyRequests as error:
        return public_page(request, "identity/forgot_password.html", {"email": email}, error)
    text = Text("If somebody has an account with this address, the link is on its way. It works for half an hour.")
    return flash.leave(see_other(request.scope, SIGN_IN), request.scope, "info", text)


@router.get(RESET)
async def reset_page(request: Request, token: Token = "") -> Response:
    """Asks for the password."""
    return _reset_page(request, token)


@router.post(RESET)
async def reset_password(request: Request, form: PublicForm) -> Response:
    """Set it, and go on to sign in with it."""
    token, password = form.get("token", ""), form.get("password", "")
    try:
        given = ResetIn(token=token, password=password)
        command = commands.ResetPassword(given.token, given.password)
        unit_of_work = Call.of_anybody(request).unit_of_work(IdentityUnitOfWork)
        await run(unit_of_work, commands.reset_password, command)
    except ValidationError as error:
        return _reset_page(request, token, _refused(error))
    except BadRequest as error:
        return _reset_page(request, token, error)
    return flash.leave(
        see_other(request.scope, SIGN_IN), request.scope, "success", Text("Your password is set. Sign in with it.")
    )


def _reset_page(request: Request, token: str, error: DataForgeError | None = None) -> Response:
    return public_page(request, "identity/reset_password.html", {"token": token, "shortest": PASSWORD_MIN}, error)


def _refused(error: ValidationError) -> ValidationFailed:
    first = error.errors()[0]
    return ValidationFailed(f"{str(first['loc'][-1]).replace('_', ' ').capitalize()} {plain_message(first)}.")


@router.get(CHANGE)
async def change_page(call: Annotated[PageCall, require_page(Action.CHANGE, Kind.PASSWORD)]) -> Response:
    """Asks for the present password and another one."""
    return _change_page(call)


@router.post(CHANGE)
async def change_password(call: Annotated[PageCall, require_page(Action.CHANGE, Kind.PASSWORD)]) -> Response:
    """Set the other one; every other sign-in ends."""
    try:
        given = PasswordIn(
            current_password=call.form.get("current_password", ""), password=call.form.get("password", "")
        )
        rejected = await _changed(call, commands.ChangePassword(call.user_id, given.current_password, given.password))
    except ValidationError as error:
        return _change_page(call, _refused(error))
    except (BadRequest, TooManyRequests) as error:
        return _change_page(call, error)
    if rejected is not None:
        return _change_page(call, rejected.error)
    return call.go_on("success", Text("Your password is changed, and every other sign-in has ended."), CHANGE)


async def _changed(call: PageCall, command: commands.ChangePassword) -> Rejected | None:
    # Two transactions: the try must be counted for others before the password is looked at.
    limits = call.services(IdentityServices).try_limits
    await run(call.unit_of_work(IdentityUnitOfWork), partial(commands.admit_change, limits=limits), command)
    return await run(call.unit_of_work(IdentityUnitOfWork), partial(commands.change_password, limits=limits), command)


def _change_page(call: PageCall, error: DataForgeError | None = None) -> Response:
    # Whoever mistypes it is still signed in.
    status = 200 if error is None else 400 if isinstance(error, Unauthenticated) else error.status
    return call.page("identity/change_password.html", status=status, error=error, shortest=PASSWORD_MIN)
