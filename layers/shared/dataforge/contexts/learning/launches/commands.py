"""Launch lessons, and give players their credential once."""

import base64
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from dataforge.contexts.identity.contract import SessionCredentials, SessionGrant
from dataforge.contexts.learning.launches.domain import PlannedLaunch, hash_token
from dataforge.contexts.learning.launches.queries import read_grant
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import PlayerSessions
from dataforge.kernel.errors import NotFound
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class FetchCredential:
    """What a player asks with, once (cmi5 §8.2)."""

    token: str


class FetchError(StrEnum):
    """Why a player gets no credential (cmi5 §8.2.3.2)."""

    USED = "1"
    SECURITY = "2"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The credential as HTTP Basic wants it, or why there is none."""

    auth_token: str = ""
    error: FetchError | None = None


async def open_launch(sessions: PlayerSessions, planned: PlannedLaunch, uow: LearningUnitOfWork) -> PlannedLaunch:
    """Store a launch and open its session; earlier ones of the registration that were left open are abandoned."""
    await uow.launches.add(planned)
    await sessions.open(uow.connection, planned.launch)
    after = {"lesson_id": str(planned.lesson_id), "launch_mode": planned.launch.launch_mode}
    uow.audit(AuditEntry("launched", "lesson", str(planned.lesson_id), after=after))
    return planned


@dataclass(frozen=True, slots=True)
class EndLaunch:
    """The launch, and whose it must be; of anybody for None."""

    launch_id: UUID
    user_id: UUID | None


async def end_launch(sessions: PlayerSessions, command: EndLaunch, uow: LearningUnitOfWork) -> UUID:
    """End a launch before it expires: its player can fetch and send nothing more. Raises NotFound."""
    launch = await uow.launches.lock_id(command.launch_id)
    if launch is None or command.user_id not in (None, launch["user_id"]):
        message = Text("There is no launch {launch_id}.", launch_id=command.launch_id)
        raise NotFound(message)
    await sessions.end(uow.connection, command.launch_id)
    await uow.launches.expire(command.launch_id)
    uow.audit(AuditEntry("ended", "launch", str(command.launch_id), after={"lesson_id": str(launch["lesson_id"])}))
    return command.launch_id


async def fetch_credential(
    credentials: SessionCredentials, command: FetchCredential, uow: LearningUnitOfWork
) -> Fetched:
    """Give the credential of a launch out, unless it was before or the launch has expired."""
    launch = await uow.launches.lock(hash_token(command.token))
    if launch is None:
        return Fetched(error=FetchError.SECURITY)
    if launch["fetched_at"] is not None or launch["expires_at"] <= uow.now:
        return Fetched(error=FetchError.USED)
    grant: SessionGrant = await read_grant(uow.connection, launch["id"])
    key, secret = await credentials.issue(grant, launch["expires_at"])
    await uow.launches.mark_fetched(launch["id"])
    return Fetched(base64.b64encode(f"{key}:{secret}".encode()).decode())
