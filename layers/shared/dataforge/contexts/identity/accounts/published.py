"""When people are written to, as other contexts read and change it."""

from dataclasses import asdict
from datetime import time
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.identity.accounts.commands import ChangeUser, change_user
from dataforge.contexts.identity.accounts.queries import get_user
from dataforge.contexts.identity.accounts.wire import ProfileIn
from dataforge.contexts.identity.contract import PersonalClock
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.events.commands import parse_arguments
from dataforge.kernel.errors import ValidationFailed, Violation
from dataforge.kernel.principal import Principal, Role
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


_HALF = Text("Quiet hours have a beginning and an end.")


class StoredPersonalClocks:
    """The clocks in people's profiles, by the same rules as `PATCH /api/users/me`."""

    def __init__(self, services: "IdentityServices") -> None:
        self._services = services

    async def read(self, user_id: UUID) -> PersonalClock:
        """A person's own clock."""
        async with self._services.database.read_only() as connection:
            user = await get_user(connection, user_id)
        quiet = {name: _shown(user[name]) for name in ("quiet_from", "quiet_to")}
        return PersonalClock(user["time_zone"], user["locale"], _shown(user["reminder_time"]), **quiet)

    async def change(self, user_id: UUID, clock: PersonalClock) -> None:
        """Replace a person's clock; quiet hours have both ends or none."""
        if bool(clock.quiet_from) != bool(clock.quiet_to):
            missing = "quiet_to" if clock.quiet_from else "quiet_from"
            violation = Violation(f"/{missing}", Text("is needed too, or leave both empty"), "missing")
            raise ValidationFailed(_HALF, violations=[violation])
        given = asdict(clock)
        given |= {name: given[name] or None for name in ("quiet_from", "quiet_to")}
        body = parse_arguments(ProfileIn, given)
        principal = Principal(user_id, Role.VIEWER)
        uow = IdentityUnitOfWork(self._services.database, principal=principal, clock=self._services.clock)
        await run(uow, change_user, ChangeUser(user_id, "*", body.model_dump(exclude_unset=True)))


def _shown(at: time | None) -> str:
    return "" if at is None else at.isoformat("minutes")
