"""Access tokens for one's programs, and the address of one's calendar."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.identity.tokens import commands, queries
from dataforge.contexts.identity.tokens.calls import calendar_address
from dataforge.contexts.identity.tokens.domain import DEFAULT_DAYS, MAX_DAYS, NewToken, TokenUnknown
from dataforge.contexts.identity.tokens.wire import TokenIn
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.scopes import AREAS, CALENDAR, EVERYTHING, EVERYTHING_READ
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("identity")
PAGE, CALENDAR_PAGE = "/ui/account/tokens", "/ui/account/calendar"
LIFETIMES = (7, 30, DEFAULT_DAYS, 180, MAX_DAYS)
_CHOICES = ("", "read", "write")


@router.get(PAGE)
async def tokens_page(call: Annotated[PageCall, require_page(Action.READ, Kind.TOKEN)]) -> Response:
    """The tokens that are good, and a form for another one."""
    return await _list(call, {"name": "", "days": str(DEFAULT_DAYS), "scopes": set()})


@router.post(PAGE)
async def create_page(call: Annotated[PageCall, require_page(Action.CREATE, Kind.TOKEN)]) -> Response:
    """Make a token; it is on this page and on no other."""
    given = _given(call.form)
    try:
        body = TokenIn.model_validate({**given, "scopes": sorted(given["scopes"])}, strict=False)
        made = await _made(call, commands.CreateToken(call.user_id, body.name, tuple(body.scopes), body.days))
    except (ValidationError, DataForgeError) as error:
        return await _list(call, given, _said(error))
    return call.page("identity/new_token.html", status=201, made=made, address=None, back=PAGE)


@router.post(f"{PAGE}/{{token_id}}/revoke")
async def revoke_page(token_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.TOKEN)]) -> Response:
    """End a token; one that has ended meanwhile is what was wanted."""
    await _revoke(call, token_id)
    return call.go_on("success", Text("The token is revoked."), PAGE)


@router.get(CALENDAR_PAGE)
async def calendar_page(call: Annotated[PageCall, require_page(Action.READ, Kind.TOKEN)]) -> Response:
    """The addresses that calendars subscribe to, and a way to another one."""
    return await _calendars(call)


@router.post(CALENDAR_PAGE)
async def create_address(call: Annotated[PageCall, require_page(Action.CREATE, Kind.TOKEN)]) -> Response:
    """Make an address; it is on this page and on no other."""
    name = call.form.get("name", "").strip()
    try:
        body = TokenIn.model_validate({"name": name, "scopes": [CALENDAR]})
        made = await _made(call, commands.CreateToken(call.user_id, body.name, (CALENDAR,)))
    except (ValidationError, DataForgeError) as error:
        return await _calendars(call, name, _said(error))
    address = calendar_address(call, made)
    return call.page("identity/new_token.html", status=201, made=made, address=address, back=CALENDAR_PAGE)


@router.post(f"{CALENDAR_PAGE}/{{token_id}}/revoke")
async def revoke_address(
    token_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.TOKEN)]
) -> Response:
    """End an address."""
    await _revoke(call, token_id)
    return call.go_on("success", Text("The address is revoked."), CALENDAR_PAGE)


async def _made(call: PageCall, command: commands.CreateToken) -> NewToken:
    return await run(call.unit_of_work(IdentityUnitOfWork), commands.create_token, command)


async def _revoke(call: PageCall, token_id: UUID) -> None:
    try:
        command = commands.RevokeToken(call.user_id, token_id)
        await run(call.unit_of_work(IdentityUnitOfWork), commands.revoke_token, command)
    except TokenUnknown:
        return


async def _list(call: PageCall, given: Mapping[str, Any], error: str | None = None) -> Response:
    rows = await call.query(queries.list_tokens, call.user_id, call.platform.clock.now())
    return call.page(
        "identity/tokens.html",
        status=400 if error else 200,
        tokens=[row for row in rows if CALENDAR not in row["scopes"]],
        given=given,
        error=error,
        areas=AREAS,
        lifetimes=[(days, f"{days} days") for days in LIFETIMES],
    )


async def _calendars(call: PageCall, name: str = "", error: str | None = None) -> Response:
    rows = await call.query(queries.list_tokens, call.user_id, call.platform.clock.now())
    calendars = [row for row in rows if CALENDAR in row["scopes"]]
    status = 400 if error else 200
    return call.page("identity/calendar.html", status=status, calendars=calendars, name=name, error=error)


def _given(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says, as it is shown again."""
    scopes = {f"{area}:{form[f'area {area}']}" for area in AREAS if form.get(f"area {area}") in _CHOICES[1:]}
    scopes |= {form["everything"]} & {EVERYTHING, EVERYTHING_READ} if "everything" in form else set()
    return {"name": form.get("name", "").strip(), "days": form.get("days", ""), "scopes": scopes}


def _said(error: ValidationError | DataForgeError) -> str:
    if isinstance(error, DataForgeError):
        return error.detail
    first = error.errors()[0]
    if first["loc"][:1] == ("scopes",):
        return Text("Choose at least one thing that the token may do.")
    return f"{str(first['loc'][-1]).capitalize()} {plain_message(first)}."
