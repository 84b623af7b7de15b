"""What the API and the pages do to launch a lesson."""

import secrets
from uuid import UUID

from dataforge.contexts.learning.launches.domain import LaunchMode, PlannedLaunch, plan_launch
from dataforge.contexts.learning.launches.queries import read_participant
from dataforge.contexts.learning.lessons.queries import get_lesson, lesson_missing
from dataforge.contexts.lrs.contract import PlayerSessions
from dataforge.http.addresses import absolute_address
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind, Resource
from dataforge.kernel.ids import uuid7


async def announced_launch(
    call: Call, lesson_id: UUID, *, launch_mode: LaunchMode = "Normal", return_url: str | None = None
) -> PlannedLaunch:
    """A launch for whoever asks, said in the record store before it is there (cmi5 §9.3.1).

    What was said of a launch that came to nothing harms nobody. Raises NotFound, also for a lesson of a workspace that
    is not for the person, LessonNotLaunchable, NotInCohort.
    """
    lesson = await call.query(get_lesson, lesson_id)
    workspace_id = lesson["workspace_id"]
    is_staff = await call.can(Action.CREATE, Resource(Kind.LAUNCH, workspace=workspace_id))
    participant = await call.query(read_participant, lesson_id, call.user_id, is_staff=is_staff)
    if workspace_id is not None and not (is_staff or participant.is_member):
        raise lesson_missing(lesson_id)
    planned = plan_launch(
        lesson,
        participant,
        session_id=uuid7(),
        token=secrets.token_urlsafe(32),
        launch_mode=launch_mode,
        return_url=return_url,
        now=call.platform.clock.now(),
    )
    await call.platform.get(PlayerSessions).announce(planned.launch)
    return planned


def addresses(call: Call, planned: PlannedLaunch) -> dict[str, str]:
    """Where a player sends to, where it fetches its credential, and the address that opens it with both."""
    scope = call.request.scope
    endpoint = absolute_address(scope, "/xapi/")
    fetch = absolute_address(scope, "/api/launches/fetch", token=planned.token)
    return {"endpoint": endpoint, "fetch": fetch, "launch_url": planned.address(endpoint, fetch)}
