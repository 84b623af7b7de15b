"""Feeds for one's calendars: what there is, when it was last read, and a way to another one."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.academics.access import sees_drafts
from dataforge.contexts.academics.feeds import commands, queries, wire
from dataforge.contexts.academics.feeds.calls import feed_address
from dataforge.contexts.academics.feeds.domain import MOST_FEEDS
from dataforge.contexts.academics.sections.queries import get_section
from dataforge.contexts.academics.students.queries import find_own_student
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, NotFound
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("academics")
PAGE = "/ui/calendar-feeds"
_TEACHERS = (Role.INSTRUCTOR, Role.REGISTRAR, Role.ADMIN)


@router.get(PAGE)
async def feeds_page(
    call: Annotated[PageCall, require_page(Action.READ, Kind.CALENDAR_FEED)],
    kind: str = "",
    section_id: UUID | None = None,
) -> Response:
    """The feeds of the signed-in person, and a form for another one."""
    return await _page(call, {"kind": kind, "section_id": str(section_id or "")})


@router.post(PAGE)
async def create_feed_page(
    call: Annotated[PageCall, require_page(Action.CREATE, Kind.CALENDAR_FEED)],
) -> Response:
    """Make a feed; its address is on this page and on no other."""
    form = call.form
    given = {"kind": form.get("kind", ""), "name": form.get("name", "").strip()}
    section_id = form.get("section_id", "") if given["kind"] == "section" else ""
    try:
        body = wire.FeedIn.model_validate({**given, "section_id": section_id or None})
        command = commands.CreateFeed(call.user_id, body.kind, body.name, body.section_id)
        feed = await run(call.unit_of_work(Work), commands.create_feed, command)
    except ValidationError:
        return await _page(call, form, Text("Say what the feed shows and where it is for."))
    except DataForgeError as error:
        return await _page(call, form, error.detail)
    return call.page("academics/new_feed.html", status=201, feed=feed, address=feed_address(call, feed), back=PAGE)


@router.post(PAGE + "/{feed_id}/revoke")
async def revoke_feed_page(
    feed_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.CALENDAR_FEED)]
) -> Response:
    """End a feed; one that has ended meanwhile is what was wanted."""
    try:
        await run(call.unit_of_work(Work), commands.revoke_feed, commands.RevokeFeed(call.user_id, feed_id))
    except NotFound:
        return call.see_other(PAGE)
    return call.go_on("success", Text("The feed is revoked."), PAGE)


async def _page(call: PageCall, given: Mapping[str, str], error: str | None = None) -> Response:
    """The page with what was given; kinds that are for nobody like the person are not offered."""
    page = await call.query(queries.list_feeds, call.user_id, after=None, limit=MOST_FEEDS)
    section = await _section(call, given.get("section_id", ""))
    kinds: list[tuple[str, str]] = []
    if await call.query(find_own_student, call.user_id) is not None:
        kinds.append(("learner", Text("My own sections")))
    if call.principal.role in _TEACHERS:
        kinds.append(("instructor", Text("What I teach")))
    if section is not None:
        kinds.append(("section", f"{section['course_code']} {section['code']}"))
    return call.page(
        "academics/feeds.html",
        status=400 if error else 200,
        feeds=page.rows,
        kinds=kinds,
        section=section,
        given={"kind": given.get("kind", ""), "name": given.get("name", "")},
        error=error,
    )


async def _section(call: PageCall, section_id: str) -> Mapping[str, object] | None:

    try:
        return await call.query(get_section, UUID(section_id), drafts=sees_drafts(call.principal))
    except (ValueError, NotFound):
        return None
