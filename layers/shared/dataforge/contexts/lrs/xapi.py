"""The xAPI resources as one app.

Every answer carries X-Experience-API-Version, every answer of the Statements resource its consistency bound, also when
the request is refused (checklist items 1 to 3).
"""

from collections.abc import Callable
from functools import cached_property, partial

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataforge.contexts.lrs.agents.routes import Agents
from dataforge.contexts.lrs.alternate_syntax import AlternateSyntax
from dataforge.contexts.lrs.attachments.routes import Attachments, too_large
from dataforge.contexts.lrs.attachments.uploads import PATH
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.statements.domain import XapiVersion, format_timestamp, negotiate_version
from dataforge.contexts.lrs.statements.routes import Statements, queue_statements
from dataforge.contexts.lrs.xapi_protocol import VERSION_HEADER, XapiCall, XapiResource, services_of, xapi_json
from dataforge.http.middleware import RequestEnvelope
from dataforge.http.problems import handle_domain_error, handle_http_exception, handle_unforeseen_error
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, NotFound
from dataforge.kernel.limits import MAX_BODY_BYTES
from dataforge.kernel.texts import Text
from dataforge.platform.services import Platform

BOUND_HEADER = "X-Experience-API-Consistent-Through"
_STATEMENTS = ("/xapi/statements", "/api/xapi/statements")


class About(XapiResource):
    """Which versions are spoken here (Communication 2.8); needs no credential and no version header."""

    is_public = True

    async def get(self, _call: XapiCall) -> Response:
        """The versions."""
        return xapi_json({"version": [version.value for version in XapiVersion], "extensions": {}})


class FirstAsked:
    """A resource imported with its first request: it brings the database along, for which no statement waits."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make

    @cached_property
    def _resource(self) -> ASGIApp:
        return self._make()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self._resource(scope, receive, send)


def _documents(kind: str) -> ASGIApp:
    from dataforge.contexts.lrs.documents.domain import Resource
    from dataforge.contexts.lrs.documents.routes import DocumentResource

    return DocumentResource(Resource(kind))


def _activities() -> ASGIApp:
    from dataforge.contexts.lrs.activities.routes import Activities

    return Activities()


class Unknown(XapiResource):
    """What is no resource, for who may ask at all."""

    async def get(self, call: XapiCall) -> Response:
        """Raise NotFound."""
        message = Text("There is no resource {path}.", path=call.request.scope["path"][:200])
        raise NotFound(message)

    post = put = delete = get


async def health(request: Request) -> Response:
    """Database, queue depths and migration revision as the function `xapi` sees them; for administrators."""
    # FastAPI comes with it: who asks for health waits for that, who sends statements does not.
    from dataforge.http.auth import Require

    await Require(Action.READ, Kind.HEALTH)(request)
    found = await services_of(request).platform.health()
    return xapi_json({"function": "xapi", **found}, status=200 if found["status"] == "ok" else 503)


class XapiHeaders:
    """Puts the headers of the standard on every answer, whoever gave it."""

    def __init__(self, app: ASGIApp, services: LrsServices) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and complete the answer's head."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(VERSION_HEADER)
        version = (negotiate_version(asked) if asked else None) or XapiVersion.V1_0
        # Taken before the answer is made: what is stored meanwhile may be missing in it.
        on_statements = scope["path"].rstrip("/") in _STATEMENTS
        bound = await self._services.intake.consistent_through() if on_statements else None

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.body" and scope["method"] == "HEAD":
                # As GET, without the content (RFC 9110 §9.3.2).
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault(VERSION_HEADER, version.value)
                if bound is not None:
                    headers[BOUND_HEADER] = format_timestamp(bound)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def create_xapi_app(platform: Platform, *, max_body: int = MAX_BODY_BYTES, public_base_url: str = "") -> ASGIApp:
    """The ASGI app of the function `xapi`; any origin may call: course content comes from everywhere with its key."""
    app = Starlette(
        routes=[
            Route("/xapi/about", About()),
            Route("/xapi/statements", Statements()),
            Route("/xapi/activities/state", FirstAsked(partial(_documents, "state"))),
            Route("/xapi/activities/profile", FirstAsked(partial(_documents, "activity_profile"))),
            Route("/xapi/agents/profile", FirstAsked(partial(_documents, "agent_profile"))),
            Route("/xapi/activities", FirstAsked(_activities)),
            Route("/xapi/agents", Agents()),
            Route(PATH, Attachments()),
            Route("/xapi/{path:path}", Unknown()),
            Route("/api/xapi/statements", queue_statements, methods=["POST"]),
            Route("/api/health/xapi", health, methods=["GET", "HEAD"]),
        ],
        exception_handlers={
            DataForgeError: handle_domain_error,
            HTTPException: handle_http_exception,
            Exception: handle_unforeseen_error,
        },
    )
    app.state.platform = platform
    app.router.redirect_slashes = False
    envelope = RequestEnvelope(
        AlternateSyntax(app),
        max_body=max_body,
        cors_origins=["*"],
        public_base_url=public_base_url,
        too_large=too_large,
    )
    return XapiHeaders(envelope, platform.get(LrsServices))
