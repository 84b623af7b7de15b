"""Open sessions, take the statements of their players, and decide what the launching system says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataforge.contexts.lrs.documents.domain import Content, DocumentKey, DocumentSet, Resource
from dataforge.contexts.lrs.documents.repository import Documents
from dataforge.contexts.lrs.sessions.domain import LAUNCH_DATA, PREFERENCES, Session, SessionEnded
from dataforge.contexts.lrs.sessions.lms_statements import abandoned, satisfied
from dataforge.contexts.lrs.sessions.repository import OpenSession, Sessions
from dataforge.contexts.lrs.statements.domain import actor_key, to_json
from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
from dataforge.kernel.texts import Text

Statement = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TakeStatements:
    """Valid statements with ids that a player has sent in one request."""

    session_id: UUID
    statements: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class Taken:
    """A session before and after its statements, and what the launching system says to that."""

    before: Session
    after: Session
    decided: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class AbandonOverdue:
    """One page of sessions that nobody has terminated in time."""

    limit: int = 100


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that begins, with the documents its player reads first."""

    session: Session
    launch_data: Statement
    preferences: Statement
    expires_at: datetime


async def open_session(command: NewSession, sessions: Sessions, documents: Documents, now: datetime) -> None:
    """Store a session with its launch data, and abandon those of the registration that were left open.

    The learner's preferences are those that are there, or else the ones that come with the launch.
    """
    session = command.session
    await sessions.lock(session.registration)
    for left in await sessions.open_of(session.registration):
        await _abandon(left, sessions, now)
    await sessions.add(session, command.expires_at)
    state = DocumentSet(Resource.STATE, session.activity_id, actor_key(session.actor), session.registration)
    profile = DocumentSet(Resource.AGENT_PROFILE, agent_key=actor_key(session.actor))
    launch_data, preferences = DocumentKey(state, LAUNCH_DATA), DocumentKey(profile, PREFERENCES)
    await documents.lock(launch_data)
    await documents.put(launch_data, Content(to_json(command.launch_data), "application/json"))
    if await documents.lock(preferences) is None:
        await documents.put(preferences, Content(to_json(command.preferences), "application/json"))
    if session.is_satisfied(await sessions.history(session)):
        await sessions.decide(session.session_id, satisfied(session, now))
        await sessions.mark_satisfied(session.session_id)


async def end_session(session_id: UUID, sessions: Sessions, now: datetime) -> None:
    """End a session for its player; one in which nothing was said ends without a word."""
    session = await sessions.find(session_id)
    if session is None:
        return
    await sessions.lock(session.registration)
    for left in await sessions.open_of(session.registration):
        if left.session.session_id == session_id:
            await _abandon(left, sessions, now)
            return
    await sessions.close(session_id)


async def take_statements(command: TakeStatements, uow: LrsUnitOfWork) -> Taken:
    """Let the session take them; raises OutsideSession, SessionEnded, SessionRuleBroken."""
    session = await uow.sessions.find(command.session_id)
    if session is None:
        message = Text("The session is not known any more; launch the lesson again.")
        raise SessionEnded(message)
    await uow.sessions.lock(session.registration)
    session = await uow.sessions.find(command.session_id) or session
    history = await uow.sessions.history(session)
    after = session.admit(command.statements, history, uow.now)
    done = after.is_satisfied(history)
    await uow.sessions.save(session, after, satisfied=done)
    decided = (satisfied(after, uow.now),) if done else ()
    for statement in decided:
        await uow.sessions.decide(after.session_id, statement)
    return Taken(session, after, decided)


async def give_back(taken: Taken, uow: LrsUnitOfWork) -> None:
    """Undo `take_statements`: the statements were not accepted."""
    await uow.sessions.lock(taken.after.registration)
    await uow.sessions.undecide(UUID(str(item["id"])) for item in taken.decided)
    await uow.sessions.give_back(taken.before, taken.after, satisfied=bool(taken.decided))


async def abandon_overdue(command: AbandonOverdue, uow: LrsUnitOfWork) -> int:
    """Abandon sessions that have expired; returns how many there were."""
    overdue = await uow.sessions.overdue(command.limit)
    for left in overdue:
        await _abandon(left, uow.sessions, uow.now)
    return len(overdue)


async def mark_sent(statement_id: UUID, uow: LrsUnitOfWork) -> None:
    """A statement of the launching system was accepted."""
    await uow.sessions.mark_sent(statement_id)


async def _abandon(left: OpenSession, sessions: Sessions, now: datetime) -> None:
    # The time between the launch and the last word of the player (§9.5.4.2).
    seconds = ((left.last_statement_at or left.opened_at) - left.opened_at).total_seconds()
    await sessions.decide(left.session.session_id, abandoned(left.session, seconds, now))
    await sessions.end(left.session.session_id)
