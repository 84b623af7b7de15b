"""Calendar feeds: one's own are made, listed and revoked; calendars read them by their address."""

import hashlib
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from dataforge.contexts.academics.feeds import commands, queries, wire
from dataforge.contexts.academics.feeds.calls import FEEDS, feed_address
from dataforge.contexts.academics.feeds.domain import Feed
from dataforge.contexts.academics.unit_of_work import AcademicsUnitOfWork as Work
from dataforge.contexts.academics.wire import Page
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag
from dataforge.http.openapi import UNKEYED
from dataforge.http.paging import Cursor, Limit
from dataforge.http.versioned_rows import PROBLEMS, no_content
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import DEFAULT_LIMIT
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import logger

router = context_router("academics")

_ICS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/calendar": {"schema": {"type": "string"}}}},
    404: {"description": "there is no such feed, or its secret is another one"},
    410: {"description": "the feed was revoked"},
}


@router.get(FEEDS, response_model=Page[wire.FeedOut])
async def list_calendar_feeds(
    call: Annotated[Call, require(Action.READ, Kind.CALENDAR_FEED)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """One's own feeds that are good, the newest first, with when each was last read."""
    page = await call.query(queries.list_feeds, call.user_id, after=call.after(cursor), limit=limit)
    return call.page_response(page, limit=limit)


@router.post(FEEDS, status_code=201, response_model=wire.NewFeedOut, responses=PROBLEMS, openapi_extra={UNKEYED: True})
async def create_calendar_feed(
    body: wire.FeedIn, call: Annotated[Call, require(Action.CREATE, Kind.CALENDAR_FEED)]
) -> Response:
    """Make a feed for calendars to subscribe to; its address is shown this once, and works until it is revoked."""
    command = commands.CreateFeed(call.user_id, body.kind, body.name, body.section_id)
    feed = await run(call.unit_of_work(Work), commands.create_feed, command)
    shown = {"id": feed.id, "kind": feed.kind, "name": feed.name, "section_id": feed.section_id}
    rest = {"created_at": feed.created_at, "address": feed_address(call, feed)}
    return json_response(shown | rest, status=201, headers={"Cache-Control": "no-store"})


@router.delete(FEEDS + "/{feed_id}", status_code=204, responses=PROBLEMS)
async def revoke_calendar_feed(
    feed_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.CALENDAR_FEED)]
) -> Response:
    """Revoke one of one's own feeds; from now on its address answers 410."""
    command = commands.RevokeFeed(call.user_id, feed_id)
    return await call.execute(Work, commands.revoke_feed, command, no_content)


@router.get(FEEDS + "/{feed_id}/calendar.ics", response_class=Response, responses=_ICS)
async def read_calendar_feed(
    request: Request, feed_id: UUID, token: Annotated[str, Query(max_length=200, description="the feed's secret")]
) -> Response:
    """The meetings as iCalendar (RFC 5545), without holidays and what is cancelled; by the secret in the address.

    Shows what the owner may see now, and nobody's name. Answers 304 to If-None-Match.
    """
    from dataforge.contexts.academics.meetings.calendar import meetings_calendar
    from dataforge.platform.calendars import MEDIA_TYPE

    call = Call.of_anybody(request)
    feed = await call.query(queries.find_feed, feed_id)
    owner, now = feed.owner(token), call.platform.clock.now()
    entries = await call.query(queries.entries_of, feed, owner, now.date())
    content = meetings_calendar(entries, name=feed.name)
    await _note(call, feed)
    headers = {
        "ETag": etag(hashlib.sha256(content).hexdigest()[:32]),
        "Cache-Control": "private, no-cache",
        "Content-Disposition": 'inline; filename="calendar.ics"',
    }
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


async def _note(call: Call, feed: Feed) -> None:
    if not feed.is_to_note(call.platform.clock.now()):
        return
    try:
        await run(call.unit_of_work(Work), commands.note_read, feed.id)
    except Exception:  # noqa: BLE001 - the calendar itself is what matters
        logger.warning("reading of a feed not stored", exc_info=True, feed_id=str(feed.id))
