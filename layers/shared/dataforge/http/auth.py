"""Authentication as a dependency: a route names who may call it; a route without one is public on purpose."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from dataforge.http.call import Call, platform_of, replay_if_known
from dataforge.kernel.errors import Forbidden, ScopeMissing, SignInRequired, Unauthenticated
from dataforge.kernel.principal import Authenticator, Principal, Role
from dataforge.kernel.scopes import allows

_CHALLENGE = 'Bearer realm="dataforge"'
_READS = frozenset({"GET", "HEAD"})
_READS_LAG = timedelta(seconds=10)  # how late a demotion may reach what a role sees on routes open to everybody
_WITHOUT_PRIVILEGES = frozenset({Role.LEARNER, Role.VIEWER})


async def principal_of(request: Request) -> Principal:
    """The person in the Authorization header (RFC 6750 §2.1); raises Unauthenticated."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        message = "Send an access token: `Authorization: Bearer …`. POST /api/auth/login issues one."
        raise Unauthenticated(message, headers={"WWW-Authenticate": _CHALLENGE})
    with _challenged():
        return await principal_of_token(request, token.strip())


async def principal_of_token(request: Request, token: str) -> Principal:
    """The person of an access token, however it came; raises Unauthenticated."""
    principal = await platform_of(request).get(Authenticator).authenticate(token)
    request.scope["dataforge.user"] = str(principal.user_id)
    return principal


async def confirmed(request: Request, principal: Principal, *, at_most_old: timedelta = timedelta(0)) -> Principal:
    """The person as the database knows them; raises Unauthenticated or Forbidden."""
    with _challenged():
        return await platform_of(request).get(Authenticator).confirm(principal, at_most_old=at_most_old)


@contextmanager
def _challenged() -> Iterator[None]:
    try:
        yield
    except Unauthenticated as error:
        error.headers.setdefault("WWW-Authenticate", f'{_CHALLENGE}, error="invalid_token"')
        raise


# The area of each router, by its tag.
_AREAS = {"identity": "accounts", "lrs": "records", "jobs": "operations"}


def required_scope(request: Request) -> str:
    """The scope that a personal access token needs for the route of this request: its area, and whether it reads."""
    tag = str(request.scope["route"].tags[0])
    access = "read" if request.method in _READS else "write"
    return f"{_AREAS.get(tag, tag)}:{access}"


def _check_scope(request: Request, granted: frozenset[str]) -> None:
    needed = required_scope(request)
    if not allows(granted, needed):
        message = f"This token does not have the scope {needed}."
        raise ScopeMissing(message, facts={"required_scope": needed})


class Require:
    """Dependency: a signed-in caller with one of the roles (none given: any role); gives the Call.

    Writes and routes that name roles are decided by what the database says now, other reads by what it said within
    ten seconds if the token's role sees more than others, and by the token if it does not.

    With `replays` a request whose Idempotency-Key was answered ends here; without, whoever uses the Call asks
    `replay_if_known` when they have seen that the caller may still do it.

    A personal access token must have the route's scope, and never does what is `interactive`: that is for somebody who
    has signed in.
    """

    def __init__(self, *roles: Role, replays: bool = True, interactive: bool = False) -> None:
        self.roles = roles
        self.replays = replays
        self.interactive = interactive

    async def __call__(self, request: Request) -> Call:
        """Authenticate, check the role, and wrap the request."""
        return await self.admit(request, await principal_of(request))

    async def admit(self, request: Request, principal: Principal) -> Call:
        """Check what a token is for, what the database says of the person, and the role."""
        if principal.scopes is not None:
            if self.interactive:
                message = "No personal access token does this, whatever its scopes. Sign in and repeat it."
                raise SignInRequired(message)
            _check_scope(request, principal.scopes)
        if request.method not in _READS or self.roles:
            principal = await confirmed(request, principal)
        elif principal.role not in _WITHOUT_PRIVILEGES:
            principal = await confirmed(request, principal, at_most_old=_READS_LAG)
        if self.roles and not principal.has(*self.roles):
            needed = sorted({Role.ADMIN.value, *self.roles})
            named = " or ".join(filter(None, (", ".join(needed[:-1]), needed[-1])))
            message = f"This needs the role {named}; you are signed in as {principal.role.value}."
            raise Forbidden(message, facts={"required_roles": needed})
        if self.replays:
            await replay_if_known(request, principal)
        return Call(request, principal)


def require(*roles: Role) -> Callable[[Request], Awaitable[Call]]:
    """The dependency for `Annotated[Call, Depends(require(Role.REGISTRAR))]`."""
    return Require(*roles)


AnyoneCall = Annotated[Call, Depends(require())]
SignedInCall = Annotated[Call, Depends(Require(interactive=True))]
UnansweredCall = Annotated[Call, Depends(Require(replays=False))]
AdminCall = Annotated[Call, Depends(require(Role.ADMIN))]
RegistrarCall = Annotated[Call, Depends(require(Role.REGISTRAR))]
InstructorCall = Annotated[Call, Depends(require(Role.INSTRUCTOR, Role.REGISTRAR))]
