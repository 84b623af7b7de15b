"""REST of e-mail addresses."""

from functools import partial
from typing import Annotated

from fastapi import Request
from starlette.responses import Response

from dataforge.contexts.identity.email_addresses import commands
from dataforge.contexts.identity.links.wire import LinkIn
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")


@router.post("/api/email-addresses/confirmations", status_code=202)
async def request_confirmation(call: Annotated[Call, require(Action.CHANGE, Kind.EMAIL_ADDRESS)]) -> Response:
    """Have the link mailed again that confirms one's own address, or the one that is to replace it."""
    request = partial(commands.request_confirmation, limits=call.services(IdentityServices).try_limits)
    return await call.execute(IdentityUnitOfWork, request, call.user_id, lambda _: json_response(None, status=202))


@router.post("/api/email-addresses/confirm", status_code=204)
async def confirm_email(body: LinkIn, request: Request) -> Response:
    """Confirm an address by the token of the link that was mailed to it; one that waits replaces the other."""
    call = Call.of_anybody(request)
    await run(call.unit_of_work(IdentityUnitOfWork), commands.confirm_email, body.token)
    return json_response(None, status=204)


@router.post("/api/email-addresses/stop-change", status_code=204)
async def stop_email_change(body: LinkIn, request: Request) -> Response:
    """Keep the address that the link was mailed to, also after the change, for a week; ends every sign-in and token."""
    call = Call.of_anybody(request)
    await run(call.unit_of_work(IdentityUnitOfWork), commands.stop_email_change, body.token)
    return json_response(None, status=204)
