"""Who may see the time line of a learner, and which lessons on it."""

from uuid import UUID

from dataforge.contexts.reports.access import Reader
from dataforge.kernel.access import Action, Kind, Reach, Resource
from dataforge.kernel.errors import Forbidden
from dataforge.kernel.rules import allows
from dataforge.kernel.texts import Text

_EVERYTHING = Reach(everywhere=True, organisation=True, workspaces=frozenset())


async def sight_of(call: Reader, user_id: UUID) -> Reach:
    """Of which workspaces the caller sees the lessons of a learner: of all on one's own time line.

    Raises Forbidden unless this is the person themselves, or somebody who may read reports of the organisation.
    """
    if call.decisions.principal.user_id == user_id:
        return _EVERYTHING
    if not allows(call.decisions.principal, Action.READ, Resource(Kind.TIME_LINE, owner=user_id)):
        message = Text("You can see your own time line only.")
        raise Forbidden(message)
    return await call.decisions.reach(Action.READ, Kind.REPORT)
