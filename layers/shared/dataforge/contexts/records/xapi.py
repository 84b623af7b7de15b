"""The xAPI resources over HTTP (Communication 2.1), on plain Starlette: an LMS that waits pays for nothing else.

Every answer carries X-Experience-API-Version, every answer of the Statements resource its consistency bound, also when
the request is refused (checklist items 1 to 3).
"""

import base64
import binascii
from datetime import datetime

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.records.commands.accept import AcceptStatements
from dataforge.contexts.records.domain.errors import XapiParameterInvalid, XapiVersionInvalid
from dataforge.contexts.records.module import RecordsServices
from dataforge.contexts.records.statements import (
    StatementsBody,
    XapiVersion,
    format_timestamp,
    negotiate_version,
    parse_body,
    parse_statement_id,
    with_statement_id,
)
from dataforge.http.encoding import dump_json
from dataforge.http.middleware import RequestEnvelope
from dataforge.http.problems import handle_domain_error, handle_http_exception, handle_unforeseen_error
from dataforge.kernel.errors import DataForgeError, MalformedBody, Unauthenticated
from dataforge.kernel.limits import MAX_BODY_BYTES
from dataforge.kernel.principal import Role
from dataforge.platform.services import Platform

VERSION_HEADER = "X-Experience-API-Version"
BOUND_HEADER = "X-Experience-API-Consistent-Through"
# What a request without a version header is answered with: the one value that both public suites accept.
NO_VERSION = "0.95"
_STATEMENTS = ("/xapi/statements", "/api/xapi/statements")


def _services(request: Request) -> RecordsServices:
    platform: Platform = request.app.state.platform
    return platform.get(RecordsServices)


def _json(value: object, *, status: int = 200) -> Response:
    return Response(dump_json(value), status_code=status, media_type="application/json")


async def about(_request: Request) -> Response:
    """Which versions are spoken here (Communication 2.8); needs no credential and no version header."""
    return _json({"version": [version.value for version in XapiVersion], "extensions": {}})


async def health(request: Request) -> Response:
    """Database, queue depths and migration revision as the function `xapi` sees them; for administrators."""
    # FastAPI comes with it: who asks for health waits for that, who sends statements does not.
    from dataforge.http.auth import require

    await require(Role.ADMIN)(request)
    found = await _services(request).platform.health()
    return _json({"function": "xapi", **found}, status=200 if found["status"] == "ok" else 503)


class Statements(HTTPEndpoint):
    """The Statements resource; only writing is offered here, everything else is refused with 405."""

    async def post(self, request: Request) -> Response:
        """One statement or an array of them; answers the ids in request order (Communication 2.1.2)."""
        _check_parameters(request, allowed=())
        return _json(await _accept(request, _version(request)))

    async def put(self, request: Request) -> Response:
        """One statement under the id of the `statementId` parameter (Communication 2.1.1)."""
        version = _version(request)
        _check_parameters(request, allowed=("statementId",))
        statement_id = parse_statement_id(request.query_params.get("statementId", ""))
        if statement_id is None:
            message = "PUT needs the parameter statementId, a UUID; use POST to have the id assigned."
            raise XapiParameterInvalid(message)
        credential, body = await _credential_and_body(request)
        if body.is_array or not isinstance(body.statements[0], dict):
            message = "PUT takes one statement, a JSON object; use POST for several."
            raise MalformedBody(message)
        statement = with_statement_id(body.statements[0], statement_id)
        command = AcceptStatements(StatementsBody([statement], is_array=False), credential, version)
        await _services(request).acceptor.accept(command)
        return Response(status_code=204)

    async def options(self, _request: Request) -> Response:
        """What may be done here, for clients that ask outside CORS."""
        return Response(status_code=204, headers={"Allow": "POST, PUT, OPTIONS"})


async def queue_statements(request: Request) -> Response:
    """The alias for senders that speak no xAPI: the version header is optional and the answer names the queue."""
    version = _version(request) if VERSION_HEADER in request.headers else XapiVersion.V1_0
    return _json({"queued": True, "ids": await _accept(request, version)})


async def _accept(request: Request, version: XapiVersion) -> list[str]:
    credential, body = await _credential_and_body(request)
    return await _services(request).acceptor.accept(AcceptStatements(body, credential, version))


async def _credential_and_body(request: Request) -> tuple[XapiCredential, StatementsBody]:
    credential = await _credential(request)
    credential.require("statements/write")
    raw = await request.body()
    credential.check_signature(raw, request.headers.get("x-signature"))
    return credential, parse_body(raw, request.headers.get("content-type", ""))


async def _credential(request: Request) -> XapiCredential:
    """The credential of HTTP Basic authentication (RFC 7617 §2); raises Unauthenticated."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError
        key, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        message = "Send an xAPI credential with HTTP Basic authentication: key and secret."
        challenge = {"WWW-Authenticate": 'Basic realm="dataforge-xapi", charset="UTF-8"'}
        raise Unauthenticated(message, headers=challenge) from error
    credential = await _services(request).credentials.verify(key, secret)
    request.scope["dataforge.user"] = credential.key_id
    return credential


def _version(request: Request) -> XapiVersion:
    header = request.headers.get(VERSION_HEADER)
    if header is None:
        message = f"Send the header {VERSION_HEADER}: 1.0.3 or 2.0.0."
        raise XapiVersionInvalid(message, headers={VERSION_HEADER: NO_VERSION})
    found = negotiate_version(header)
    if found is None:
        message = f"{VERSION_HEADER} {header[:20]!r} is not spoken here; send 1.0.3 or 2.0.0."
        raise XapiVersionInvalid(message)
    return found


def _check_parameters(request: Request, *, allowed: tuple[str, ...]) -> None:
    unknown = sorted(set(request.query_params) - set(allowed))
    if unknown:
        known = f"known here: {', '.join(allowed)}" if allowed else "none is known here"
        message = f"The parameter {unknown[0][:40]!r} is not known; names are case-sensitive, {known}."
        raise XapiParameterInvalid(message)


class XapiHeaders:
    """Puts the headers of the standard on every answer, whoever gave it."""

    def __init__(self, app: ASGIApp, services: RecordsServices) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and complete the answer's head."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(VERSION_HEADER)
        version = (negotiate_version(asked) if asked else None) or XapiVersion.V1_0
        on_statements = scope["path"].rstrip("/") in _STATEMENTS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault(VERSION_HEADER, version.value)
                if on_statements:
                    headers[BOUND_HEADER] = bound_text(await self._services.intake.consistent_through())
            await send(message)

        await self._app(scope, receive, send_with_headers)


def bound_text(bound: datetime) -> str:
    """A consistency bound as statements write timestamps."""
    return format_timestamp(bound)


def create_xapi_app(platform: Platform, *, max_body: int = MAX_BODY_BYTES, public_base_url: str = "") -> ASGIApp:
    """The ASGI app of the function `xapi`; any origin may call: course content comes from everywhere with its key."""
    app = Starlette(
        routes=[
            Route("/xapi/about", about, methods=["GET", "HEAD"]),
            Route("/xapi/statements", Statements),
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
    envelope = RequestEnvelope(app, max_body=max_body, cors_origins=["*"], public_base_url=public_base_url)
    return XapiHeaders(envelope, platform.get(RecordsServices))
