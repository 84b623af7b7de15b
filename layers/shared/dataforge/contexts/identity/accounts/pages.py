"""Making an account of one's own; and people and their roles, for administrators."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from dataforge.contexts.identity.accounts import commands, queries, wire
from dataforge.contexts.identity.accounts.domain import PASSWORD_MIN, AccountState
from dataforge.contexts.identity.claims.commands import request_claims
from dataforge.contexts.identity.passwords.commands import request_reset_of
from dataforge.contexts.identity.second_factor.commands import remove_second_factor_of
from dataforge.contexts.identity.second_factor.queries import get_second_factor
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.call import Call
from dataforge.http.caller import client_address
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, ValidationFailed
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web import flash
from dataforge.web.calls import Chosen, PageCall, PublicForm, Visitor, public_page, require_page
from dataforge.web.forms import ACCEPTED, Refusal, refusal_of
from dataforge.web.routing import local_path, page_router, see_other

router = page_router("identity")

SIGN_UP, PAGE = "/ui/sign-up", "/ui/admin/people"
_SIGN_UP = ("username", "email", "display_name", "password")
Wanted = Annotated[str, Query(alias="next", max_length=2000, description="where to go afterwards")]
PERSON = PAGE + "/{user_id}"
_ROWS = 50
_MOST_CLAIMS = 1_000  # of one form; the next one is for the others
ReadPage = Annotated[PageCall, require_page(Action.READ, Kind.USER)]
ChangePage = Annotated[PageCall, require_page(Action.CHANGE, Kind.USER)]
ROLES = [(role.value, role.value.capitalize()) for role in Role]
STATES = [
    (AccountState.ACTIVE.value, Text("In use")),
    (AccountState.UNCLAIMED.value, Text("Not claimed yet")),
    (AccountState.SUSPENDED.value, "Suspended"),
]


@router.get(SIGN_UP)
async def sign_up_page(request: Request, person: Visitor, wanted: Wanted = "") -> Response:
    """The form; whoever has signed in has an account, and goes on at once."""
    if person is not None:
        return RedirectResponse(local_path(request.scope, wanted), status_code=303)
    return _sign_up_form(request, {"next": wanted})


@router.post(SIGN_UP)
async def sign_up(request: Request, form: PublicForm) -> Response:
    """Make the account as the API does, and go on to sign in with it."""
    call = Call.of_anybody(request)
    try:
        # An empty name is none.
        given = wire.SignUpIn.model_validate({name: form[name] for name in _SIGN_UP if form.get(name)})
        admit = partial(commands.admit_sign_up, limits=call.services(IdentityServices).try_limits)
        await run(call.unit_of_work(IdentityUnitOfWork), admit, client_address(request))
        await run(call.unit_of_work(IdentityUnitOfWork), commands.sign_up, commands.SignUp(**given.model_dump()))
    except ValidationError as error:
        return _sign_up_form(request, form, refusal=refusal_of(error, _SIGN_UP))
    except DataForgeError as error:
        return _sign_up_form(request, form, error, refusal_of(error, _SIGN_UP))
    text = Text(
        "Your account is ready. Sign in as {username}; a link that confirms your address is on its way.",
        username=given.username,
    )
    wanted = form.get("next")
    afterwards = local_path(request.scope, wanted) if wanted else None
    answer = see_other(request.scope, "/ui/sign-in", next=afterwards)
    return flash.leave(answer, request.scope, "success", text)


def _sign_up_form(
    request: Request, form: Mapping[str, str], error: DataForgeError | None = None, refusal: Refusal = ACCEPTED
) -> Response:
    given = {name: form.get(name, "") for name in _SIGN_UP if name != "password"}
    values = {"given": given, "shortest": PASSWORD_MIN, "wanted": form.get("next", "")}
    return public_page(request, "identity/sign_up.html", values, error, refusal)


@router.get(PAGE)
async def list_page(
    call: ReadPage,
    cursor: Cursor = None,
    search: Annotated[str, Query(max_length=100)] = "",
    role: Annotated[Role | None, Chosen] = None,
    state: Annotated[AccountState | None, Chosen] = None,
) -> Response:
    """People in order of their username, found by name or address, role and state."""
    after, named = call.after(cursor), search.strip() or None
    page = await call.query(queries.list_users, after=after, limit=_ROWS, role=role, search=named, state=state)
    return call.page(
        "identity/people.html",
        people=page.rows,
        chosen={"search": search, "role": role or "", "state": state or ""},
        roles=ROLES,
        states=STATES,
        first=cursor is None,
        following=call.following(page.next_key),
    )


@router.post(PAGE + "/claims")
async def mail_claims(call: ChangePage) -> Response:
    """Mail everybody who has not claimed their account the link that does."""
    role, search = call.form.get("role") or None, call.form.get("search", "").strip() or None
    waiting = AccountState.UNCLAIMED
    page = await call.query(queries.list_users, after=None, limit=_MOST_CLAIMS, role=role, search=search, state=waiting)
    people = [row["id"] for row in page.rows]
    done = await run(call.unit_of_work(IdentityUnitOfWork), request_claims, people)
    text = Text("1 person is") if done.mailed == 1 else Text("{mailed} people are", mailed=done.mailed)
    rest = (
        "" if page.next_key is None else Text(" There are more; repeat it for the next ones when these have claimed.")
    )
    return call.go_on(
        "success", Text("{text} mailed the link that claims their account.{rest}", text=text, rest=rest), PAGE
    )


@router.get(PERSON)
async def person_page(user_id: UUID, call: ReadPage) -> Response:
    """One person: who they are, what they may do, and what an administrator can do about it."""
    return await _person(call, user_id)


@router.post(PERSON + "/role")
async def change_role(user_id: UUID, call: ChangePage) -> Response:
    """Give a person another role; the one before ends at once."""
    try:
        role = Role(call.form.get("role", ""))
        await _change(call, user_id, {"role": role.value})
    except ValueError:
        return await _person(call, user_id, ValidationFailed(Text("Choose one of the roles.")))
    except DataForgeError as error:
        return await _person(call, user_id, error)
    return call.go_on("success", Text("The role is {role} from now on.", role=role.value), PAGE, user_id)


@router.post(PERSON + "/suspend")
async def suspend(user_id: UUID, call: ChangePage) -> Response:
    """Keep a person out, and end their sign-ins."""
    return await _set_suspended(
        call, user_id, Text("The person is suspended, and every sign-in has ended."), suspended=True
    )


@router.post(PERSON + "/restore")
async def restore(user_id: UUID, call: ChangePage) -> Response:
    """Let a suspended person in again."""
    return await _set_suspended(call, user_id, Text("The person can sign in again."), suspended=False)


@router.post(PERSON + "/link")
async def mail_link(user_id: UUID, call: ChangePage) -> Response:
    """Mail a person the link that sets another password, or the one that claims their account."""
    try:
        person = await call.query(queries.get_user, user_id)
        if person["claimed"]:
            await run(call.unit_of_work(IdentityUnitOfWork), request_reset_of, user_id)
        else:
            await run(call.unit_of_work(IdentityUnitOfWork), request_claims, [user_id])
    except DataForgeError as error:
        return await _person(call, user_id, error)
    return call.go_on("success", Text("The link is on its way to {email}.", email=person["email"]), PAGE, user_id)


@router.post(PERSON + "/second-factor")
async def take_second_factor_away(user_id: UUID, call: ChangePage) -> Response:
    """Let somebody in with the password alone who has lost phone and recovery codes; they hear of it by mail."""
    try:
        await run(call.unit_of_work(IdentityUnitOfWork), remove_second_factor_of, user_id)
    except DataForgeError as error:
        return await _person(call, user_id, error)
    return call.go_on(
        "success", Text("The person signs in with the password alone, and hears of it by mail."), PAGE, user_id
    )


async def _set_suspended(call: PageCall, user_id: UUID, text: str, *, suspended: bool) -> Response:
    try:
        await _change(call, user_id, {"suspended": suspended})
    except DataForgeError as error:
        return await _person(call, user_id, error)
    return call.go_on("success", text, PAGE, user_id)


async def _change(call: PageCall, user_id: UUID, changes: dict[str, object]) -> None:
    command = commands.ChangeUser(user_id, call.form.get("revision", ""), changes)
    await run(call.unit_of_work(IdentityUnitOfWork), commands.change_user, command)


async def _person(call: PageCall, user_id: UUID, error: DataForgeError | None = None) -> Response:
    person = await call.query(queries.get_user, user_id)
    return call.page(
        "identity/person.html",
        status=200 if error is None else error.status,
        person=person,
        second_factor=await call.query(get_second_factor, user_id),
        own=user_id == call.user_id,
        error=error,
        roles=ROLES,
    )
