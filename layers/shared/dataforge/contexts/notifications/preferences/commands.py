"""Say what one wants to hear of."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.notifications.messages.domain import Status
from dataforge.contexts.notifications.preferences.domain import kind_named
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.errors import ValidationFailed, Violation
from dataforge.kernel.texts import Text


@dataclass(frozen=True, slots=True)
class SetPreference:
    """Whether a person wants messages of a kind."""

    user_id: UUID
    kind: str
    wanted: bool


async def set_preference(command: SetPreference, uow: NotificationsUnitOfWork) -> UUID:
    """Raises UnknownKind, ValidationFailed for a kind that nobody can do without."""
    kind = kind_named(command.kind)
    if not command.wanted and not kind.optional:
        message = Text("{label} cannot be turned off.", label=kind.label)
        raise ValidationFailed(message, violations=[Violation("/wanted", message, "not_optional")])
    await uow.preferences.put(command.user_id, kind.name, wanted=command.wanted)
    if not command.wanted:
        await uow.messages.drop_pending(command.user_id, kind.name, Status.SUPPRESSED)
    return command.user_id
