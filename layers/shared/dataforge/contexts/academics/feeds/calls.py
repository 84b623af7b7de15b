"""What routes and pages of calendar feeds have in common."""

from dataforge.contexts.academics.feeds.domain import NewFeed
from dataforge.http.addresses import absolute_address
from dataforge.http.call import Call

FEEDS = "/api/calendar-feeds"


def feed_address(call: Call, feed: NewFeed) -> str:
    """Where calendars fetch a feed: the secret is a parameter, because paths are written into logs."""
    return absolute_address(call.request.scope, f"{FEEDS}/{feed.id}/calendar.ics", token=feed.secret)
