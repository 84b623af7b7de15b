"""Who is asking."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Role(StrEnum):
    """What a person is to the organisation; `admin` may do everything."""

    ADMIN = "admin"
    REGISTRAR = "registrar"
    INSTRUCTOR = "instructor"
    ANALYST = "analyst"
    LEARNER = "learner"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person, or the system itself (`user_id` None).

    `scopes` is what a personal access token is for; None is somebody who has signed in and may do all their role may.
    `locale` is that of the person's profile, None where the database was not asked for it.
    """

    user_id: UUID | None
    role: Role
    username: str = ""
    session: UUID | None = field(default=None, compare=False)
    scopes: frozenset[str] | None = None
    locale: str | None = field(default=None, compare=False)

    def has(self, *roles: Role) -> bool:
        """Whether the person holds one of the roles; admin holds all."""
        return self.role is Role.ADMIN or self.role in roles


SYSTEM = Principal(user_id=None, role=Role.ADMIN, username="system")


class Authenticator(Protocol):
    """Turns an access token into the person it was issued to."""

    async def authenticate(self, token: str) -> Principal:
        """The principal of a valid token; raises Unauthenticated otherwise."""
        ...

    async def confirm(self, principal: Principal, *, at_most_old: timedelta = timedelta(0)) -> Principal:
        """The principal as it was that long ago, or now.

        Raises Unauthenticated or Forbidden for one that may do nothing any more.
        """
        ...
