"""Problems as pages: what a program reads in a problem document, people read here."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from dataforge.http.addresses import own_address, this_address
from dataforge.http.problems import PAGES
from dataforge.kernel.errors import DataForgeError, Unauthenticated
from dataforge.web import session
from dataforge.web.templates import render

# htmx swaps the answer of a failed request like any other (version 4): these send it to the page's place for notices.
_INTO_NOTICE = {"HX-Retarget": "#notice", "HX-Reselect": "#problem", "HX-Reswap": "innerHTML"}


def problem_page(error: DataForgeError, scope: Scope) -> Response:
    """The page of an error; whoever has to sign in is sent to where that is done, and comes back afterwards."""
    by_htmx = "hx-request" in Headers(scope=scope)
    if isinstance(error, Unauthenticated) and str(scope["path"]).startswith(PAGES):
        return _sign_in(scope, by_htmx=by_htmx)
    headers = {**error.headers, **(_INTO_NOTICE if by_htmx else {})}
    values = {"error": error, "request_id": _id(scope)}
    return render(scope, "web/problem.html", values, status=error.status, headers=headers)


def _id(scope: Scope) -> str:
    return str(scope.get("dataforge.request_id", ""))


def _sign_in(scope: Scope, *, by_htmx: bool) -> Response:
    here = _wanted(scope, by_htmx=by_htmx)
    if session.tokens_of(scope) is not None:
        # The access token is old, or the sign-in has ended; where it is renewed the two are told apart. 307 keeps the
        # method and the body of a form on the way there and back.
        renewal = own_address(scope, "/ui/renew", query={"next": _whole(scope)})
        return RedirectResponse(renewal, status_code=307)
    sign_in = own_address(scope, "/ui/sign-in", query={"next": here})
    if by_htmx:
        return Response(status_code=401, headers={"HX-Redirect": sign_in})
    return RedirectResponse(sign_in, status_code=303)


def _wanted(scope: Scope, *, by_htmx: bool) -> str:
    if by_htmx:
        current = urlsplit(Headers(scope=scope).get("hx-current-url", ""))
        return f"{current.path}?{current.query}" if current.query else current.path
    return own_address(scope, PAGES) if scope["method"] not in ("GET", "HEAD") else _whole(scope)


def _whole(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    address = this_address(scope)
    return f"{address}?{query}" if query else address
