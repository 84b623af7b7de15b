"""What all xAPI resources have in common over HTTP: version, credential, parameters (Communication 1.4, 3.3, 4.1)."""

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.statements.domain import (
    XapiVersion,
    actor_key,
    negotiate_version,
    parse_json,
    parse_statement_id,
    parse_timestamp,
    validate_agent,
)
from dataforge.contexts.lrs.statements.domain.errors import StatementConflict
from dataforge.contexts.lrs.statements.domain.validation.formats import is_iri
from dataforge.http.encoding import dump_json
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import BadRequest, DataForgeError, MethodNotAllowed, Unauthenticated
from dataforge.kernel.texts import Text
from dataforge.platform.services import Platform

VERSION_HEADER = "X-Experience-API-Version"
# What a request without a version header is answered with: the one value that both public suites accept.
NO_VERSION = "0.95"
_NOBODY = XapiCredential("", frozenset(), {})
_KEY = "dataforge.xapi_key"
# What somebody who keeps a credential wants to hear of; a document that is not there is nothing to mend.
_REFUSALS = frozenset({400, 401, 403, 413, 415, 429})


class XapiVersionInvalid(BadRequest):
    """X-Experience-API-Version is missing or names no line this store speaks (Communication 3.3)."""

    code = "xapi_version"
    title = "The xAPI version header is missing or not supported"


class XapiParameterInvalid(BadRequest):
    """A query parameter is missing, unknown or malformed (Communication 2.1)."""

    code = "xapi_parameter"
    title = "A query parameter is missing, unknown or malformed"


def services_of(request: Request) -> LrsServices:
    """The parts of the record store."""
    platform: Platform = request.app.state.platform
    return platform.get(LrsServices)


def xapi_json(value: object, *, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(dump_json(value), status_code=status, media_type="application/json")


async def require_credential(request: Request) -> XapiCredential:
    """The credential of HTTP Basic authentication (RFC 7617 §2) or of an access token (RFC 6750 §2.1).

    Raises Unauthenticated, and CredentialThrottled when it has sent too many requests.
    """
    credential = await _credential(request)
    request.scope[_KEY] = request.scope["dataforge.user"] = credential.key_id
    if credential.rate_limit is not None:
        await services_of(request).rates.spend(credential)
    return credential


async def _credential(request: Request) -> XapiCredential:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    credentials = services_of(request).credentials
    if scheme.lower() == "bearer":
        return await credentials.verify_token(encoded.strip())
    try:
        if scheme.lower() != "basic":
            raise ValueError
        key, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        message = Text(
            "Send an xAPI credential with HTTP Basic authentication: key and secret. Or an access token for one."
        )
        challenge = {"WWW-Authenticate": 'Basic realm="dataforge-xapi", charset="UTF-8", Bearer realm="dataforge-xapi"'}
        raise Unauthenticated(message, headers=challenge) from error
    request.scope[_KEY] = key
    return await credentials.verify(key, secret)


@asynccontextmanager
async def refusals_noted(request: Request) -> AsyncIterator[None]:
    """Keep with the credential why it is refused what it asks for."""
    try:
        yield
    except DataForgeError as error:
        key = request.scope.get(_KEY)
        if key is not None and (error.status in _REFUSALS or isinstance(error, StatementConflict)):
            services = services_of(request)
            await services.refusals.note(key, services.clock.now(), f"{error.code}: {error.detail}")
        raise


def require_version(request: Request) -> XapiVersion:
    """The version that the request speaks; raises XapiVersionInvalid."""
    header = request.headers.get(VERSION_HEADER)
    if header is None:
        message = Text("Send the header {version_header}: 1.0.3 or 2.0.0.", version_header=VERSION_HEADER)
        raise XapiVersionInvalid(message, headers={VERSION_HEADER: NO_VERSION})
    found = negotiate_version(header)
    if found is None:
        message = Text(
            "{version_header} {header!r} is not spoken here; send 1.0.3 or 2.0.0.",
            version_header=VERSION_HEADER,
            header=header[:20],
        )
        raise XapiVersionInvalid(message)
    return found


def check_parameters(request: Request, *, allowed: tuple[str, ...]) -> None:
    """Raise XapiParameterInvalid for a parameter that is not known (Communication 2.1)."""
    unknown = sorted(set(request.query_params) - set(allowed))
    if unknown:
        known = Text("known here: {allowed}", allowed=", ".join(allowed)) if allowed else Text("none is known here")
        message = Text(
            "The parameter {unknown!r} is not known; names are case-sensitive, {known}.",
            unknown=unknown[0][:40],
            known=known,
        )
        raise XapiParameterInvalid(message)


@dataclass(frozen=True, slots=True)
class XapiCall:
    """One request of one credential, in the version it speaks."""

    request: Request
    credential: XapiCredential
    version: XapiVersion

    @property
    def services(self) -> LrsServices:
        """The parts of the record store."""
        return services_of(self.request)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the request, without what keeps caches away."""
        return {name: value for name, value in self.request.query_params.items() if name != "cachebuster"}

    def check_parameters(self, allowed: tuple[str, ...]) -> None:
        """Raise XapiParameterInvalid for a parameter that is not known, or is there twice."""
        check_parameters(self.request, allowed=(*allowed, "cachebuster"))
        names = [name for name, _ in self.request.query_params.multi_items()]
        for name in names:
            if names.count(name) > 1:
                message = Text("The parameter {name} is there twice.", name=name)
                raise XapiParameterInvalid(message)

    def require(self, action: Action, kind: Kind, *, own: bool = False) -> None:
        """Raise ScopeMissing unless the credential may do this, with `own` at least with what it has stored itself."""
        self.credential.require(action, kind, own=own)

    async def signed_body(self) -> bytes:
        """The body; raises SignatureInvalid when the credential needs a signature of it."""
        body = await self.request.body()
        self.credential.check_signature(body, self.request.headers.get("x-signature"))
        return body

    def required(self, name: str) -> str:
        """A parameter that must be there; raises XapiParameterInvalid."""
        value = self.parameters.get(name, "")
        if not value:
            message = Text("The parameter {name} is missing.", name=name)
            raise XapiParameterInvalid(message)
        return value

    def activity_id(self) -> str:
        """The parameter `activityId`; raises XapiParameterInvalid unless it is an absolute IRI."""
        value = self.required("activityId")
        if not is_iri(value):
            message = Text("activityId must be an absolute IRI; {value!r} is none.", value=value[:60])
            raise XapiParameterInvalid(message)
        return value

    def agent(self, *, group_allowed: bool = False) -> dict[str, object]:
        """The parameter `agent`; raises XapiParameterInvalid unless it is a valid Agent as JSON."""
        try:
            found = parse_json(self.required("agent").encode())
        except (BadRequest, UnicodeEncodeError) as error:
            message = Text("agent must be an Agent as JSON: {error}", error=getattr(error, "detail", error))
            raise XapiParameterInvalid(message) from error
        violations = validate_agent(found, path="query:agent", group_allowed=group_allowed)
        if violations or not isinstance(found, dict):
            message = (
                Text("agent is no valid Agent. {message}", message=violations[0].message)
                if violations
                else Text("agent is no Agent.")
            )
            raise XapiParameterInvalid(message, violations=violations)
        return found

    def agent_key(self) -> str:
        """What the Agent or identified Group in `agent` is known by; raises XapiParameterInvalid."""
        key = actor_key(self.agent(group_allowed=True))
        if key.startswith(("name:", "group:")):
            message = Text("agent must have one identifier: mbox, mbox_sha1sum, openid or account.")
            raise XapiParameterInvalid(message)
        return key

    def uuid(self, name: str) -> UUID | None:
        """A UUID parameter; None when it is missing; raises XapiParameterInvalid."""
        if name not in self.parameters:
            return None
        found = parse_statement_id(self.parameters[name])
        if found is None:
            message = Text(
                "{name} must be a UUID; {parameters!r} is none.", name=name, parameters=self.parameters[name][:60]
            )
            raise XapiParameterInvalid(message)
        return found

    def timestamp(self, name: str) -> datetime | None:
        """A timestamp parameter; None when it is missing; raises XapiParameterInvalid."""
        if name not in self.parameters:
            return None
        found = parse_timestamp(self.parameters[name])
        if found is None:
            message = Text(
                "{name} must be a time such as 2026-05-04T10:00:00Z; {parameters!r} is none.",
                name=name,
                parameters=self.parameters[name][:60],
            )
            raise XapiParameterInvalid(message)
        return found


class XapiResource:
    """A resource: subclasses have `get`, `put`, `post` or `delete`, each from an XapiCall to an answer.

    Version and credential are checked before anything else, the method included. HEAD is GET; whoever serves the app
    leaves the content away. OPTIONS needs neither (Communication 4.2), nor does what `is_public`.
    """

    is_public = False
    noted_later: frozenset[str] = frozenset()
    """Methods that do without the database: the loader notes that the credential was used."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        async with refusals_noted(request):
            response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        offered = [name for name in ("get", "post", "put", "delete") if hasattr(self, name)]
        methods = [*(["GET", "HEAD"] if "get" in offered else []), *(name.upper() for name in offered if name != "get")]
        allow = {"Allow": ", ".join([*methods, "OPTIONS"])}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=allow)
        call = await self._call(request)
        if request.method not in methods:
            message = Text("{method} is not offered here.", method=request.method)
            raise MethodNotAllowed(message, headers=allow)
        name = "get" if request.method == "HEAD" else request.method.lower()
        response: Response = await getattr(self, name)(call)
        if not self.is_public and request.method not in self.noted_later and call.credential.session is None:
            await call.services.uses.note_at_once(call.credential.key_id, call.services.clock.now())
        return response

    async def _call(self, request: Request) -> XapiCall:
        if self.is_public:
            version = negotiate_version(request.headers.get(VERSION_HEADER, "")) or XapiVersion.V1_0
            return XapiCall(request, _NOBODY, version)
        version = require_version(request)
        return XapiCall(request, await require_credential(request), version)
