"""Pure ASGI middleware around every function: correlation, limits, one summary line, and the last net for errors."""

import re
import time
from collections.abc import Callable, Iterable
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataforge.http.addresses import PUBLIC_BASE_URL
from dataforge.http.cross_origin import CrossOrigin
from dataforge.http.problems import PROBLEM_PAGE, problem_response, unforeseen
from dataforge.kernel.errors import BadRequest, DataForgeError
from dataforge.kernel.limits import MAX_BODY_BYTES, body_too_large
from dataforge.kernel.texts import Text
from dataforge.platform.observability import emit_metrics, logger

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_LENGTH = re.compile(r"[0-9]{1,1000}")  # int() would take other digits too, and refuses more than 4300 of them
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # For all that is no page of ours: nothing is loaded or run if a browser is made to show it.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}


class RequestEnvelope:
    """Gives every request an id, a size limit, security headers and one log line; turns what escapes into a problem.

    A path with a slash at its end is the path without it, and `/api/v1/…` is `/api/…`. Browsers of `cors_origins` may
    read every answer, refusals made here included, and those of every origin the ones at `open_paths`.
    `public_base_url` is the address people use, stage included; empty if the gateway's own events tell it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body: int = MAX_BODY_BYTES,
        cors_origins: Iterable[str] = (),
        open_paths: Iterable[str] = (),
        public_base_url: str = "",
        problem_page: Callable[[DataForgeError, Scope], Response] | None = None,
        too_large: Callable[[int, Scope], DataForgeError] = lambda limit, _scope: body_too_large(limit),
    ) -> None:
        self._public_base_url = public_base_url
        self._problem_page = problem_page
        self._app: ASGIApp = SafetyNet(app, max_body=max_body, too_large=too_large)
        self._app = CrossOrigin(self._app, origins=cors_origins, open_paths=open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and account for it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        scope["dataforge.request_id"] = request_id
        scope[PUBLIC_BASE_URL] = self._public_base_url
        scope[PROBLEM_PAGE] = self._problem_page
        scope["path"] = _current(_without_slash(scope["path"]))
        logger.correlate(request_id)
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out["X-Request-Id"] = request_id
                for name, value in _SECURITY_HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            logger.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                route=getattr(scope.get("route"), "path", None),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                user=scope.get("dataforge.user"),
            )


def _without_slash(path: str) -> str:
    # Redirecting instead would lose the body of many clients, and the gateway's stage.
    return path[:-1] if path.endswith("/") and path != "/" else path


def _current(path: str) -> str:
    # Version 1 is the API there is; a client that names it goes on working when there is another.
    return "/api" + path.removeprefix("/api/v1") if path.startswith("/api/v1/") else path


class SafetyNet:
    """Refuses addresses and bodies nothing behind it could take, and answers whatever error comes out of there."""

    def __init__(self, app: ASGIApp, *, max_body: int, too_large: Callable[[int, Scope], DataForgeError]) -> None:
        self._app = app
        self._max_body = max_body
        self._too_large = too_large

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an error becomes a problem document if no answer has begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = False

        async def noticed(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        problem: DataForgeError | None = None
        try:
            self._check(scope)
            await self._app(scope, self._limited(scope, receive), noticed)
        except DataForgeError as error:
            problem = error
        except Exception:  # noqa: BLE001 - the last net: logged and counted; the client learns nothing of the cause
            logger.error("unhandled error", exc_info=True, method=scope["method"], path=scope["path"])
            emit_metrics({"unhandled": 1})
            problem = unforeseen()
        if problem is not None and not began:  # it happened outside the app, while a context was loaded, say
            await problem_response(problem, scope)(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        # Mangum leaves raw_path unset (None).
        raw = (scope.get("raw_path") or b"") + b"?" + scope.get("query_string", b"")
        if b"%00" in raw or "\0" in scope["path"]:
            message = Text("The address contains a NUL character.")
            raise BadRequest(message)
        declared = Headers(scope=scope).get("content-length", "")
        # A length that is no number is left to the count of what really comes.
        if _LENGTH.fullmatch(declared) and int(declared) > self._max_body:
            raise self._too_large(self._max_body, scope)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > self._max_body:
                    raise self._too_large(self._max_body, scope)
            return message

        return limited
