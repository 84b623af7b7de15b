"""Launch lessons, and give players their credential once."""

import base64
from dataclasses import dataclass
from enum import StrEnum

from dataforge.contexts.identity.contract import SessionCredentials, SessionGrant
from dataforge.contexts.learning.launches.domain import PlannedLaunch, hash_token
from dataforge.contexts.learning.launches.queries import read_grant
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import PlayerSessions
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
