"""Authentication as a dependency: a route names who may call it; a route without one is public on purpose."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Protocol

from fastapi import Depends, Request

from dataforge.http.call import Call, Services, replay_if_known
from dataforge.kernel.errors import Forbidden, Unauthenticated
from dataforge.kernel.principal import Principal, Role

_CHALLENGE = 'Bearer realm="dataforge"'
_READS = frozenset({"GET", "HEAD"})
_WITHOUT_PRIVILEGES = frozenset({Role.LEARNER, Role.VIEWER})


class Authenticator(Protocol):
    """Turns an access token into the person it was issued to."""

    async def authenticate(self, token: str) -> Principal:
        """The principal of a valid token; raises Unauthenticated otherwise."""
        ...

    async def confirm(self, principal: Principal) -> Principal:
        """The principal as it is now; raises Unauthenticated or Forbidden for one that may do nothing any more."""
        ...


class AuthenticatedServices(Services, Protocol):
    """Services of an app with sign-in."""

    @property
    def authenticator(self) -> Authenticator: ...


async def principal_of(request: Request) -> Principal:
    """The person in the Authorization header (RFC 6750 §2.1); raises Unauthenticated."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        message = "Send an access token: `Authorization: Bearer …`. POST /api/auth/login issues one."
        raise Unauthenticated(message, headers={"WWW-Authenticate": _CHALLENGE})
    services: AuthenticatedServices = request.app.state.services
    with _challenged():
        principal = await services.authenticator.authenticate(token.strip())
    request.scope["dataforge.user"] = str(principal.user_id)
    return principal


async def confirmed(request: Request, principal: Principal) -> Principal:
    """The person as the database knows them now; raises Unauthenticated or Forbidden."""
    services: AuthenticatedServices = request.app.state.services
    with _challenged():
        return await services.authenticator.confirm(principal)


@contextmanager
def _challenged() -> Iterator[None]:
    try:
        yield
    except Unauthenticated as error:
        error.headers.setdefault("WWW-Authenticate", f'{_CHALLENGE}, error="invalid_token"')
        raise


def _decides_by_token(request: Request, principal: Principal, roles: tuple[Role, ...]) -> bool:
    # Reading what everybody may read; whatever depends on a role, or changes something, asks the database first.
    return request.method in _READS and not roles and principal.role in _WITHOUT_PRIVILEGES


class Require:
    """Dependency: a signed-in caller with one of the roles (none given: any role); gives the Call.

    Writes, routes that name roles, and everything with a role that sees more than others are decided by what the
    database says now; the rest is read with a token that may be as old as its lifetime.
    """

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    async def __call__(self, request: Request) -> Call:
        """Authenticate, check the role, and wrap the request."""
        principal = await principal_of(request)
        if not _decides_by_token(request, principal, self.roles):
            principal = await confirmed(request, principal)
        if self.roles and not principal.has(*self.roles):
            needed = " or ".join(sorted({Role.ADMIN.value, *self.roles}))
            message = f"This needs the role {needed}; you are signed in as {principal.role.value}."
            raise Forbidden(message, facts={"required_roles": sorted({Role.ADMIN.value, *self.roles})})
        await replay_if_known(request, principal)
        return Call(request, principal)


def require(*roles: Role) -> Callable[[Request], Awaitable[Call]]:
    """The dependency for `Annotated[Call, Depends(require(Role.REGISTRAR))]`."""
    return Require(*roles)


AnyoneCall = Annotated[Call, Depends(require())]
AdminCall = Annotated[Call, Depends(require(Role.ADMIN))]
RegistrarCall = Annotated[Call, Depends(require(Role.REGISTRAR))]
InstructorCall = Annotated[Call, Depends(require(Role.INSTRUCTOR, Role.REGISTRAR))]
