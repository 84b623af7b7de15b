"""What routes and pages of personal access tokens have in common."""

from dataforge.contexts.identity.tokens.domain import NewToken
from dataforge.http.addresses import absolute_address
from dataforge.http.call import Call
from dataforge.kernel.scopes import CALENDAR


def calendar_address(call: Call, made: NewToken) -> str | None:
    """Where calendars fetch the person's dates with this token; None for a token with another scope."""
    if CALENDAR not in made.scopes:
        return None
    return absolute_address(call.request.scope, "/api/calendar.ics", token=made.secret)
