"""REST of invitations into the organisation."""

from dataclasses import asdict
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.identity.accounts.commands import admit_sign_up
from dataforge.contexts.identity.invitations import commands, queries, wire
from dataforge.contexts.identity.invitations.domain import State
from dataforge.contexts.identity.links.wire import LinkIn
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork as Work
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.caller import client_address
from dataforge.http.paging import Cursor, Limit
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT, Page
from dataforge.platform.db.unit_of_work import run

router = context_router("identity")

INVITATIONS = "/api/invitations"
INVITATION = INVITATIONS + "/{invitation_id}"


@router.get(INVITATIONS, response_model=wire.InvitationPage)
async def list_invitations(
    call: Annotated[Call, require(Action.READ, Kind.INVITATION)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    state: State | None = None,
) -> Response:
    """Invitations into the organisation, newest first."""
    now, after = call.platform.clock.now(), call.after(cursor)
    page = await call.query(queries.list_invitations, now=now, after=after, limit=limit, state=state)
    rows = [wire.InvitationOut.model_validate(row).model_dump(mode="json") for row in page.rows]
    return call.page_response(Page(rows, page.next_key), limit=limit)


@router.post(INVITATIONS, status_code=201, response_model=wire.InvitationOut)
async def invite(body: wire.InvitationIn, call: Annotated[Call, require(Action.CREATE, Kind.INVITATION)]) -> Response:
    """Invite an address by mail to be something here; the link is good once, within seven days."""
    handler = partial(commands.invite, token=call.services(IdentityServices).link_tokens.of_invitation)
    command = commands.Invite(body.email, body.role)
    return await call.execute_and_read(Work, handler, command, partial(_read, call, 201))


@router.post(INVITATION + "/resend", response_model=wire.InvitationOut)
async def resend_invitation(
    invitation_id: UUID, call: Annotated[Call, require(Action.CHANGE, Kind.INVITATION)]
) -> Response:
    """Mail another link, good for seven days; the one before stops working. Once a minute at most."""
    handler = partial(commands.send_again, token=call.services(IdentityServices).link_tokens.of_invitation)
    return await call.execute_and_read(Work, handler, invitation_id, partial(_read, call, 200))


@router.delete(INVITATION, status_code=204)
async def revoke_invitation(
    invitation_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.INVITATION)]
) -> Response:
    """Revoke an open invitation: its link works no longer."""
    return await call.execute(
        Work, commands.revoke_invitation, invitation_id, lambda _: json_response(None, status=204)
    )


@router.post(INVITATIONS + "/accept", response_model=wire.AcceptedOut)
async def accept_invitation(body: LinkIn, call: Annotated[Call, require(Action.ACCEPT, Kind.INVITATION)]) -> Response:
    """Get the role by the token of a mailed link, signed in with the account of the invited address.

    An invitation lowers no role: whoever is more already stays it, and the answer says so.
    """
    return await call.execute(Work, commands.accept_invitation, body.token, _accepted)


@router.post(INVITATIONS + "/sign-up", status_code=201, response_model=wire.AcceptedOut)
async def accept_with_new_account(body: wire.NewcomerIn, request: Request) -> Response:
    """Make an account with the offered role by the token of a mailed link; its address counts as confirmed.

    An account that an import made for the address becomes the person's. Whoever has one already signs in and accepts.
    """
    call = Call.of_anybody(request)
    admit = partial(admit_sign_up, limits=call.services(IdentityServices).try_limits)
    await run(call.unit_of_work(Work), admit, client_address(request))
    command = commands.AcceptWithNewAccount(**body.model_dump())
    return await call.execute(Work, commands.accept_with_new_account, command, partial(_accepted, status=201))


def _accepted(accepted: commands.Accepted, *, status: int = 200) -> Response:
    return json_response(wire.AcceptedOut.model_validate(asdict(accepted)).model_dump(mode="json"), status=status)


async def _read(call: Call, status: int, connection: AsyncConnection, invitation_id: UUID) -> Response:
    row = await queries.get_invitation(connection, invitation_id, now=call.platform.clock.now())
    return json_response(wire.InvitationOut.model_validate(row).model_dump(mode="json"), status=status)
