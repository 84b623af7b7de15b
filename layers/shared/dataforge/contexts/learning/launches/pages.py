"""The lessons that a person may take in a course player, and opening one."""

from functools import partial
from typing import Annotated
from uuid import UUID

from starlette.responses import Response

from dataforge.contexts.learning.launches import queries
from dataforge.contexts.learning.launches.calls import addresses, announced_launch
from dataforge.contexts.learning.launches.commands import open_launch
from dataforge.contexts.learning.unit_of_work import LearningUnitOfWork
from dataforge.contexts.lrs.contract import PlayerSessions
from dataforge.http.paging import Cursor
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import Conflict, Forbidden
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("learning")
_LESSONS = "/ui/lessons"


@router.get(_LESSONS)
async def lessons_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.LAUNCH)], cursor: Cursor = None
) -> Response:
    """Lessons with content, and how far the signed-in person is with each."""
    reach = await call.decisions.reach(Action.CREATE, Kind.LAUNCH)
    page = await call.query(
        queries.lessons_of_person, call.user_id, reach, after=call.after(cursor), limit=DEFAULT_LIMIT
    )
    following = call.following(page.next_key)
    return call.page("learning/lessons.html", lessons=page.rows, first=cursor is None, following=following)


@router.post("/ui/lessons/{lesson_id}/launch")
async def launch_page(lesson_id: UUID, call: Annotated[PageCall, require_page(Action.CREATE, Kind.LAUNCH)]) -> Response:
    """Launch a lesson, and show the way into its player: forms lead to us only, players are elsewhere."""
    try:
        planned = await announced_launch(call, lesson_id)
    except (Conflict, Forbidden) as refusal:
        return call.go_on("error", refusal.detail, _LESSONS)
    handler = partial(open_launch, call.platform.get(PlayerSessions))
    await run(call.unit_of_work(LearningUnitOfWork), handler, planned)
    launch_url = addresses(call, planned)["launch_url"]
    return call.page("learning/launched.html", title=planned.title, launch_url=launch_url)
