"""Who may see the time line of a learner."""

from uuid import UUID

from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.errors import Forbidden
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import allows


def require_sight_of(principal: Principal, user_id: UUID) -> None:
    """Raise Forbidden unless this is the person themselves, or somebody who may read reports."""
    if not allows(principal, Action.READ, Resource(Kind.TIME_LINE, owner=user_id)):
        message = "You can see your own time line only."
        raise Forbidden(message)
