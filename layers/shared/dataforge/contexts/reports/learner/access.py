"""Who may see the time line of a learner."""

from uuid import UUID

from dataforge.contexts.reports.calls import READERS
from dataforge.kernel.errors import Forbidden
from dataforge.kernel.principal import Principal


def require_sight_of(principal: Principal, user_id: UUID) -> None:
    """Raise Forbidden unless this is the person themselves, or somebody who may read reports."""
    if principal.user_id != user_id and not principal.has(*READERS):
        message = "You can see your own time line only."
        raise Forbidden(message)
