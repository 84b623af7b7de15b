"""Authentication as a dependency: a route says what is done with what; a route without it is public on purpose."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from fastapi import Depends, Request

from dataforge.http.call import Call, platform_of, replay_if_known
from dataforge.http.languages import LOCALE
from dataforge.kernel.access import EVERYBODY, Action, Kind, role_missing
from dataforge.kernel.errors import ScopeMissing, SignInRequired, Unauthenticated
from dataforge.kernel.principal import Authenticator, Principal, Role
from dataforge.kernel.rules import RULES, require_scope
from dataforge.kernel.texts import Text

_CHALLENGE = 'Bearer realm="dataforge"'
_OWN_SITES = frozenset({"same-origin", "none"})  # values of Sec-Fetch-Site; programs send none
_READS = frozenset({"GET", "HEAD"})
_READS_LAG = timedelta(seconds=10)  # how late a demotion may reach what a role sees on routes open to everybody
_PERSON = "dataforge.person"  # whose token it was, in the scope
_WITHOUT_PRIVILEGES = frozenset({Role.LEARNER, Role.VIEWER})


async def principal_of(request: Request) -> Principal:
    """The person in the Authorization header: a bearer token (RFC 6750 §2.1), or one as a password (RFC 7617).

    Raises Unauthenticated.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            token = given.strip()
        case "basic":
            token = _password(request, given.strip())
        case _:
            token = ""
    if not token:
        message = Text("Send an access token: `Authorization: Bearer …`. POST /api/auth/login issues one.")
        raise Unauthenticated(message, headers=_challenge_for(request))
    with _challenged():
        return await principal_of_token(request, token)


def _password(request: Request, encoded: str) -> str:
    """The password of HTTP Basic, which is to be a personal access token; the name before it may be any.

    A browser that was once given it would send it along with the forms of other sites, and is therefore refused.
    """
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        message = Text("Requests that other sites send are not taken with HTTP Basic; send a bearer token.")
        raise Unauthenticated(message, headers={"WWW-Authenticate": _CHALLENGE})
    try:
        _, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # binascii.Error and UnicodeDecodeError are ones
        colon = password = ""
    if not colon or "." in password:  # a JWT has two dots: no program asks its user for what ends in minutes
        message = Text(
            "With HTTP Basic the password is a personal access token: sign in and make one at /ui/account/tokens."
        )
        raise Unauthenticated(message, headers=_challenge_for(request))
    return password


async def _principal_of_address(request: Request, scope: str) -> Principal:
    """The person of a token in the query, where others see it: it must be good for nothing else."""
    with _challenged():
        principal = await principal_of_token(request, request.query_params["token"])
    if principal.scopes != frozenset({scope}):
        message = Text("A token in an address must have the scope {scope} and no other.", scope=scope)
        raise ScopeMissing(message, facts={"required_scope": scope})
    return principal


def _challenge_for(request: Request) -> dict[str, str]:
    # Browsers would ask for a password in a window of their own, and then send it with everything.
    if "sec-fetch-mode" in request.headers:
        return {"WWW-Authenticate": _CHALLENGE}
    return {"WWW-Authenticate": f'{_CHALLENGE}, Basic realm="dataforge", charset="UTF-8"'}


async def principal_of_token(request: Request, token: str) -> Principal:
    """The person of an access token, however it came; raises Unauthenticated."""
    principal = await platform_of(request).get(Authenticator).authenticate(token)
    request.scope["dataforge.user"] = str(principal.user_id)
    request.scope[LOCALE] = principal.locale
    request.scope[_PERSON] = principal
    return principal


async def confirmed(request: Request, principal: Principal, *, at_most_old: timedelta = timedelta(0)) -> Principal:
    """The person as the database knows them; raises Unauthenticated or Forbidden."""
    with _challenged():
        current = await platform_of(request).get(Authenticator).confirm(principal, at_most_old=at_most_old)
    request.scope[LOCALE] = current.locale
    return current


async def find_locale(request: Request) -> None:
    """Leave in the scope the locale of the profile of whoever asks, for an answer in words.

    A request that was decided by its token alone has not met the database. Whoever may do nothing any more, or is not
    signed in, gets words by the request's header.
    """
    person: Principal | None = request.scope.get(_PERSON)
    if person is None or request.scope.get(LOCALE) is not None:
        return
    try:
        await confirmed(request, person)
    except Exception:  # noqa: BLE001 - whatever it is, the answer is still to be given, in the words of the header
        request.scope[LOCALE] = ""


@contextmanager
def _challenged() -> Iterator[None]:
    try:
        yield
    except Unauthenticated as error:
        error.headers.setdefault("WWW-Authenticate", f'{_CHALLENGE}, error="invalid_token"')
        raise


class Require:
    """Dependency: a signed-in caller who may do this with some resource of the kind; gives the Call.

    The table is in `kernel/rules.py`. Who may do it with no resource of the kind is refused before any is looked at;
    `roles` are those that are not, none being any role. Writes and routes that name roles are decided by what the
    database says now, other reads by what it said within ten seconds if the token's role sees more than others, and by
    the token if it does not.

    With `replays` a request whose Idempotency-Key was answered ends here; without, whoever uses the Call asks
    `replay_if_known` when they have seen that the caller may still do it.

    A personal access token must have the scope of the kind's area, and never does what is `interactive`: that is for
    somebody who has signed in. `address` is a scope that is enough by itself, and then the token may stand in the query
    as `token`.
    """

    def __init__(self, action: Action, kind: Kind, *, replays: bool = True, address: str | None = None) -> None:
        rule = RULES[kind, action]
        if not rule.entered_by:
            message = Text("No person may {action} a {kind}: only credentials do.", action=action, kind=kind)
            raise ValueError(message)
        self.action = action
        self.kind = kind
        self.roles = () if rule.entered_by == EVERYBODY else tuple(sorted(rule.entered_by))
        self.replays = replays
        self.interactive = rule.interactive
        self.address = address

    async def __call__(self, request: Request) -> Call:
        """Authenticate, check the role, and wrap the request."""
        if self.address is not None and "token" in request.query_params:
            return await self.admit(request, await _principal_of_address(request, self.address))
        return await self.admit(request, await principal_of(request))

    async def admit(self, request: Request, principal: Principal) -> Call:
        """Check what a token is for, what the database says of the person, and the role."""
        if principal.scopes is not None:
            if self.interactive:
                message = Text("No personal access token does this, whatever its scopes. Sign in and repeat it.")
                raise SignInRequired(message)
            if self.address not in principal.scopes:
                require_scope(principal.scopes, self.action, self.kind)
        if request.method not in _READS or self.roles:
            principal = await confirmed(request, principal)
        elif principal.role not in _WITHOUT_PRIVILEGES:
            principal = await confirmed(request, principal, at_most_old=_READS_LAG)
        if self.roles and principal.role not in self.roles:
            raise role_missing(self.roles, principal.role)
        if self.replays:
            await replay_if_known(request, principal)
        return Call(request, principal)


def require(action: Action, kind: Kind, *, replays: bool = True, address: str | None = None) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a route's parameter says of who may call it: `Annotated[Call, require(Action.CREATE, Kind.COURSE)]`."""
    return Depends(Require(action, kind, replays=replays, address=address))
