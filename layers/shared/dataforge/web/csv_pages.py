"""Lists of the API as CSV for whoever is at the pages: a browser has a session cookie, and the API takes none.

`/ui/csv/courses?q=law` is `/api/courses?q=law` as CSV, asked with the token of the session: the API decides who may
have what.
"""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from dataforge.http.problems import PROBLEM_PAGE
from dataforge.kernel.access import Action, Kind
from dataforge.web import session
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

# A list is not offered as a page; a problem is, and people are to read it as one.
_ACCEPT = b"text/csv, text/html;q=0.5"
_DROPPED = frozenset({b"cookie", b"authorization", b"accept", b"if-none-match"})
SignedIn = Annotated[PageCall, require_page(Action.READ, Kind.ACCOUNT)]


def csv_router(prefix: str, below: str) -> APIRouter:
    """The router that answers below `prefix` what the API lists below `below`."""
    router = page_router("csv")

    @router.get(prefix)
    async def whole_list_as_csv(call: SignedIn) -> Response:
        return await _list_as_csv(call.request, below)

    @router.get(f"{prefix}/{{path:path}}")
    async def list_as_csv(path: str, call: SignedIn) -> Response:
        return await _list_as_csv(call.request, f"{below}/{path}")

    return router


router = csv_router("/ui/csv", "/api")


async def _list_as_csv(request: Request, path: str) -> Response:
    tokens = session.tokens_of(request.scope)
    assert tokens is not None  # noqa: S101 - the page has let nobody else in
    headers = [(name, value) for name, value in request.scope["headers"] if name.lower() not in _DROPPED]
    headers += [(b"authorization", f"Bearer {tokens.access}".encode()), (b"accept", _ACCEPT)]
    scope: dict[str, Any] = {
        name: value
        for name, value in request.scope.items()
        if name.startswith(("dataforge.request_id", PROBLEM_PAGE, "dataforge.public_base_url", "aws"))
        or name in ("type", "asgi", "http_version", "scheme", "server", "client", "query_string", "root_path")
    }
    scope |= {"method": "GET", "path": path, "raw_path": path.encode(), "headers": headers}
    status, kept, body = 500, [], bytearray()

    async def collect(message: Message) -> None:
        nonlocal status, kept
        if message["type"] == "http.response.start":
            status, kept = message["status"], list(message.get("headers", ()))
        else:
            body.extend(message.get("body", b""))

    await request.app.contexts(scope, request.receive, collect)
    response = Response(bytes(body), status)
    response.raw_headers = kept
    return response
