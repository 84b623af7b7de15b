"""One message for the next page, in a sealed cookie: what a form did is shown where its redirect leads."""

from typing import NamedTuple

from starlette.responses import Response
from starlette.types import Scope

from dataforge.http.languages import in_words_of
from dataforge.kernel.paging import InvalidCursor
from dataforge.web import session

_COOKIE, _SCOPE, _SECONDS = "dataforge_flash", "flash", 60
_LONGEST = 1000  # characters; a cookie has 4 KB


class Message(NamedTuple):
    """What to tell; `kind` is success, info or error."""

    kind: str
    text: str


def leave(response: Response, scope: Scope, kind: str, text: str) -> Response:
    """Put a message into the answer, for the page that comes next, in the language of whoever gets it."""
    sealed = session.sealer(scope).seal(_SCOPE, (kind, in_words_of(scope, text)[:_LONGEST]))
    session.set_cookie(response, scope, _COOKIE, sealed, seconds=_SECONDS)
    return response


def take(scope: Scope) -> Message | None:
    """The message left by the answer before; None without one, or for one that we did not make."""
    given = session.cookie(scope, _COOKIE)
    # What is refused before it comes to an app has nothing to open it with; it stays for the page after that.
    if given is None or "app" not in scope:
        return None
    try:
        kind, text = session.sealer(scope).open(_SCOPE, given)
    except (InvalidCursor, ValueError):
        return None
    return Message(str(kind), str(text))


def forget(response: Response, scope: Scope) -> None:
    """Take the cookie away: the message has been shown."""
    session.clear_cookie(response, scope, _COOKIE)
