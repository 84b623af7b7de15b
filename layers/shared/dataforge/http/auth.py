"""Authentication as a dependency: a route names who may call it; a route without one is public on purpose."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

from fastapi import Depends, Request

from dataforge.http.call import Call, Services
from dataforge.kernel.errors import Forbidden, Unauthenticated
from dataforge.kernel.principal import Principal, Role


class Authenticator(Protocol):
    """Turns an access token into the person it was issued to."""

    async def authenticate(self, token: str) -> Principal:
        """The principal of a valid token; raises Unauthenticated otherwise."""
        ...


class AuthenticatedServices(Services, Protocol):
    """Services of an app with sign-in."""

    @property
    def authenticator(self) -> Authenticator: ...


async def principal_of(request: Request) -> Principal:
    """The person in the Authorization header (RFC 6750 §2.1); raises Unauthenticated."""
    challenge = {"WWW-Authenticate": 'Bearer realm="dataforge"'}
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        message = "Send an access token: `Authorization: Bearer …`. POST /api/auth/login issues one."
        raise Unauthenticated(message, headers=challenge)
    services: AuthenticatedServices = request.app.state.services
    try:
        principal = await services.authenticator.authenticate(token.strip())
    except Unauthenticated as error:
        error.headers.setdefault("WWW-Authenticate", challenge["WWW-Authenticate"] + ', error="invalid_token"')
        raise
    request.scope["dataforge.user"] = str(principal.user_id)
    return principal


class Require:
    """Dependency: a signed-in caller with one of the roles (none given: any role); gives the Call."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    async def __call__(self, request: Request) -> Call:
        """Authenticate, check the role, and wrap the request."""
        principal = await principal_of(request)
        if self.roles and not principal.has(*self.roles):
            needed = " or ".join(sorted({Role.ADMIN.value, *self.roles}))
            message = f"This needs the role {needed}; you are signed in as {principal.role.value}."
            raise Forbidden(message, facts={"required_roles": sorted({Role.ADMIN.value, *self.roles})})
        return Call(request, principal)


def require(*roles: Role) -> Callable[[Request], Awaitable[Call]]:
    """The dependency for `Annotated[Call, Depends(require(Role.REGISTRAR))]`."""
    return Require(*roles)


AnyoneCall = Annotated[Call, Depends(require())]
AdminCall = Annotated[Call, Depends(require(Role.ADMIN))]
RegistrarCall = Annotated[Call, Depends(require(Role.REGISTRAR))]
InstructorCall = Annotated[Call, Depends(require(Role.INSTRUCTOR, Role.REGISTRAR))]
