"""What all xAPI resources have in common over HTTP: version, credential, parameters (Communication 1.4, 3.3, 4.1)."""

import base64
import binascii

from starlette.requests import Request
from starlette.responses import Response

from dataforge.contexts.identity.contract import XapiCredential
from dataforge.contexts.lrs.module import LrsServices
from dataforge.contexts.lrs.statements.domain import XapiVersion, negotiate_version
from dataforge.http.encoding import dump_json
from dataforge.kernel.errors import BadRequest, Unauthenticated
from dataforge.platform.services import Platform

VERSION_HEADER = "X-Experience-API-Version"
# What a request without a version header is answered with: the one value that both public suites accept.
NO_VERSION = "0.95"


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
    credential = await services_of(request).credentials.verify(key, secret)
    request.scope["dataforge.user"] = credential.key_id
    return credential


def require_version(request: Request) -> XapiVersion:
    """The version that the request speaks; raises XapiVersionInvalid."""
    header = request.headers.get(VERSION_HEADER)
    if header is None:
        message = f"Send the header {VERSION_HEADER}: 1.0.3 or 2.0.0."
        raise XapiVersionInvalid(message, headers={VERSION_HEADER: NO_VERSION})
    found = negotiate_version(header)
    if found is None:
        message = f"{VERSION_HEADER} {header[:20]!r} is not spoken here; send 1.0.3 or 2.0.0."
        raise XapiVersionInvalid(message)
    return found


def check_parameters(request: Request, *, allowed: tuple[str, ...]) -> None:
    """Raise XapiParameterInvalid for a parameter that is not known (Communication 2.1)."""
    unknown = sorted(set(request.query_params) - set(allowed))
    if unknown:
        known = f"known here: {', '.join(allowed)}" if allowed else "none is known here"
        message = f"The parameter {unknown[0][:40]!r} is not known; names are case-sensitive, {known}."
        raise XapiParameterInvalid(message)
