"""Profiles: made, changed, deleted by their own person."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from dataforge.contexts.workspaces.profiles.domain import missing_profile, require_unused
from dataforge.contexts.workspaces.unit_of_work import WorkspacesUnitOfWork
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.versioned_rows import require_revision


@dataclass(frozen=True, slots=True)
class CreateProfile:
    """A profile for the caller."""

    about: str = ""
    preferences: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Changes of one's own profile; `expected` is the revision the caller read."""

    user_id: UUID
    expected: str
    changes: dict[str, Any]


async def create_profile(command: CreateProfile, uow: WorkspacesUnitOfWork) -> UUID:
    """Create the caller's profile; raises AlreadyExists."""
    await uow.profiles.add({"user_id": uow.person, "about": command.about, "preferences": command.preferences})
    uow.audit(AuditEntry("created", "user_profile", str(uow.person)))
    return uow.person


async def change_profile(command: ChangeProfile, uow: WorkspacesUnitOfWork) -> UUID:
    """Change one's own profile; raises ProfileNotFound, PreconditionFailed."""
    row = await uow.profiles.locked(own_profile(command.user_id, uow))
    require_revision(command.expected, row["revision"])
    await uow.profiles.change(row, command.changes)
    return command.user_id


async def delete_profile(user_id: UUID, uow: WorkspacesUnitOfWork) -> None:
    """Delete one's own profile with its resources; raises ProfileNotFound, ProfileInUse."""
    row = await uow.profiles.locked(own_profile(user_id, uow))
    require_unused(await uow.profiles.owned(user_id, deleted=True))
    await uow.profiles.remove(row)
    uow.audit(AuditEntry("deleted", "user_profile", str(user_id)))


def own_profile(user_id: UUID, uow: WorkspacesUnitOfWork) -> UUID:
    """The id, if it is the caller's; raises ProfileNotFound for anybody else's."""
    if user_id != uow.person:
        raise missing_profile(user_id)
    return user_id
