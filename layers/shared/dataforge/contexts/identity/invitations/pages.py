"""The page that the link in an invitation's mail leads to, and the one on which administrators invite.

Opening a link accepts nothing, since mail scanners open them, too.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.identity.accounts.commands import admit_sign_up
from dataforge.contexts.identity.accounts.domain import PASSWORD_MIN
from dataforge.contexts.identity.invitations import commands, queries
from dataforge.contexts.identity.invitations.wire import InvitationIn, NewcomerIn
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork as Work
from dataforge.http.addresses import own_address
from dataforge.http.call import Call
from dataforge.http.caller import client_address
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, ValidationFailed
from dataforge.kernel.invitations import unknown_link
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.db.unit_of_work import run
from dataforge.web import flash
from dataforge.web.calls import PageCall, PublicForm, Visitor, public_page, require_page
from dataforge.web.routing import page_router, see_other

router = page_router("identity")
PAGE, ADMIN_PAGE = "/ui/invitation", "/ui/admin/invitations"
_ROWS = 50
Token = Annotated[str, Query(max_length=200)]


@router.get(PAGE)
async def invitation_page(request: Request, person: Visitor, token: Token = "") -> Response:  # noqa: ARG001 - shown
    """Says what the invitation is for, and asks for what is missing: an account, or a sign-in."""
    return await _page(request, token, {})


@router.post(PAGE)
async def accept_with_new_account(request: Request, form: PublicForm) -> Response:
    """Make the account, and go on to sign in with it."""
    call, token = Call.of_anybody(request), form.get("token", "")
    try:
        # An empty name is none; the same model as the API's, so that the same names and passwords fit.
        given = NewcomerIn.model_validate({name: value for name, value in form.items() if value})
        admit = partial(admit_sign_up, limits=call.services(IdentityServices).try_limits)
        await run(call.unit_of_work(Work), admit, client_address(request))
        command = commands.AcceptWithNewAccount(**given.model_dump())
        await run(call.unit_of_work(Work), commands.accept_with_new_account, command)
    except ValidationError as error:
        return await _page(request, token, form, _refused(error))
    except DataForgeError as error:
        return await _page(request, token, form, error)
    text = Text("Your account is ready. Sign in as {username}.", username=given.username)
    return flash.leave(see_other(request.scope, "/ui/sign-in"), request.scope, "success", text)


@router.post(PAGE + "/accept")
async def accept(call: Annotated[PageCall, require_page(Action.ACCEPT, Kind.INVITATION)]) -> Response:
    """Get the role with the account that one is signed in with."""
    token = call.form.get("token", "")
    try:
        accepted = await run(call.unit_of_work(Work), commands.accept_invitation, token)
    except DataForgeError as error:
        return await _page(call.request, token, {}, error)
    if accepted.role is accepted.offered:
        return call.go_on("success", Text("You have accepted: your role is {role}.", role=accepted.role), "/ui")
    text = Text(
        "You have accepted, and keep your role {role}, which {offered} adds nothing to.",
        role=accepted.role,
        offered=accepted.offered,
    )
    return call.go_on("info", text, "/ui")


async def _page(
    request: Request, token: str, given: Mapping[str, str], error: DataForgeError | None = None
) -> Response:
    call = Call.of_anybody(request)
    found = await call.query(queries.invitation_of_link, token, now=call.platform.clock.now())
    if found is None and error is None:
        error = unknown_link()
    values = {
        "invitation": found,
        "token": token,
        # Where a sign-in comes back to.
        "page": own_address(request.scope, PAGE, query={"token": token}),
        "given": {name: given.get(name, "") for name in ("username", "display_name")},
        "shortest": PASSWORD_MIN,
    }
    return public_page(request, "identity/invitation.html", values, error)


def _refused(error: ValidationError) -> ValidationFailed:
    first = error.errors()[0]
    return ValidationFailed(f"{str(first['loc'][-1]).replace('_', ' ').capitalize()} {plain_message(first)}.")


@router.get(ADMIN_PAGE)
async def invitations_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.INVITATION)], cursor: Cursor = None
) -> Response:
    """Invitations, newest first, and a form for another one."""
    return await _list(call, {"email": "", "role": Role.LEARNER.value}, cursor=cursor)


@router.post(ADMIN_PAGE)
async def invite(call: Annotated[PageCall, require_page(Action.CREATE, Kind.INVITATION)]) -> Response:
    """Invite an address."""
    given = {"email": call.form.get("email", "").strip(), "role": call.form.get("role", "")}
    handler = partial(commands.invite, token=call.services(IdentityServices).link_tokens.of_invitation)
    try:
        body = InvitationIn.model_validate(given)
        await run(call.unit_of_work(Work), handler, commands.Invite(body.email, body.role))
    except ValidationError as error:
        return await _list(call, given, _refused(error))
    except DataForgeError as error:
        return await _list(call, given, error)
    return call.go_on("success", Text("The invitation is on its way to {email}.", email=body.email), ADMIN_PAGE)


@router.post(ADMIN_PAGE + "/{invitation_id}/resend")
async def send_again(
    invitation_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.INVITATION)]
) -> Response:
    """Mail another link."""
    handler = partial(commands.send_again, token=call.services(IdentityServices).link_tokens.of_invitation)
    try:
        await run(call.unit_of_work(Work), handler, invitation_id)
    except DataForgeError as error:
        return await _list(call, {"email": "", "role": Role.LEARNER.value}, error)
    return call.go_on("success", Text("The invitation is sent again; the link of the mail before ends."), ADMIN_PAGE)


@router.post(ADMIN_PAGE + "/{invitation_id}/revoke")
async def revoke(
    invitation_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.INVITATION)]
) -> Response:
    """Let the link work no longer."""
    try:
        await run(call.unit_of_work(Work), commands.revoke_invitation, invitation_id)
    except DataForgeError as error:
        return await _list(call, {"email": "", "role": Role.LEARNER.value}, error)
    return call.go_on("success", Text("The invitation is revoked."), ADMIN_PAGE)


async def _list(
    call: PageCall, given: Mapping[str, str], error: DataForgeError | None = None, *, cursor: str | None = None
) -> Response:
    now, after = call.platform.clock.now(), call.after(cursor)
    page = await call.query(queries.list_invitations, now=now, after=after, limit=_ROWS)
    return call.page(
        "identity/invitations.html",
        status=200 if error is None else error.status,
        invitations=page.rows,
        given=given,
        error=None if error is None else error.detail,
        roles=[(role.value, role.value.capitalize()) for role in Role],
        first=cursor is None,
        following=call.following(page.next_key) if error is None else None,
    )
