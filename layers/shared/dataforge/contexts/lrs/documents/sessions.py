"""Which documents the player of one session may read and change (cmi5 §10, §11)."""

from dataforge.contexts.identity.contract import SessionGrant
from dataforge.contexts.lrs.documents.domain import DocumentSet, Resource
from dataforge.contexts.lrs.sessions.domain import LAUNCH_DATA, OutsideSession
from dataforge.contexts.lrs.statements.domain import actor_key
from dataforge.kernel.texts import Text


def require_own(session: SessionGrant | None, group: DocumentSet) -> None:
    """Raise OutsideSession unless the documents are of the session's learner, lesson and registration."""
    if session is None:
        return
    if group.activity_id not in (None, session.activity_id):
        message = Text("This session is of the activity {activity_id}.", activity_id=session.activity_id)
        raise OutsideSession(message)
    if group.agent_key not in (None, actor_key(session.actor)):
        message = Text("The agent is not the learner that this session was launched for.")
        raise OutsideSession(message)
    if group.resource is Resource.STATE and group.registration != session.registration:
        message = Text("State of this session has the registration {registration}.", registration=session.registration)
        raise OutsideSession(message)


def require_changeable(session: SessionGrant | None, group: DocumentSet, name: str | None) -> None:
    """Raise OutsideSession for the launch data, which players only read; without a name, for all State at once."""
    if session is not None and group.resource is Resource.STATE and name in (None, LAUNCH_DATA):
        message = Text("{launch_data} is read only; delete other State documents one by one.", launch_data=LAUNCH_DATA)
        raise OutsideSession(message)
