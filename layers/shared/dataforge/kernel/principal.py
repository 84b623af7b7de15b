"""Who is asking."""

from dataclasses import dataclass, field
from enum import StrEnum
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
    """A signed-in person, or the system itself (`user_id` None)."""

    user_id: UUID | None
    role: Role
    username: str = ""
    session: UUID | None = field(default=None, compare=False)

    def has(self, *roles: Role) -> bool:
        """Whether the person holds one of the roles; admin holds all."""
        return self.role is Role.ADMIN or self.role in roles


SYSTEM = Principal(user_id=None, role=Role.ADMIN, username="system")
