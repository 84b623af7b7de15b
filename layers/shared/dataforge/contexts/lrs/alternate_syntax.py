"""The alternate request syntax of xAPI 1.0.3 (Communication 1.3), for browsers that can send forms only.

`POST …?method=PUT` with a form stands for the PUT: the fields named like headers are its headers, `content` is its
body, and all others are its parameters. xAPI 2.0 has no such thing.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataforge.contexts.lrs.statements.domain import XapiVersion, negotiate_version
from dataforge.contexts.lrs.xapi_protocol import VERSION_HEADER, XapiParameterInvalid
from dataforge.kernel.errors import MalformedBody
from dataforge.kernel.texts import Text

_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100
_HEADERS = {
    name.lower()
    for name in (
        "Authorization",
        VERSION_HEADER,
        "Content-Type",
        "Content-Length",
        "If-Match",
        "If-None-Match",
        "Accept-Language",
        "X-Signature",
    )
}


class AlternateSyntax:
    """Turns a form that stands for another request into that request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or the one that it stands for; raises XapiParameterInvalid, MalformedBody."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith("/xapi/"):
            query = QueryParams(scope["query_string"])
            if "method" in query:
                scope, receive = await _meant(scope, receive, query)
        await self._app(scope, receive, send)


async def _meant(scope: Scope, receive: Receive, query: QueryParams) -> tuple[Scope, Receive]:
    method = query["method"].upper()
    if method not in _METHODS or len(query.multi_items()) > 1:
        message = Text(
            "A request in the alternate syntax has one parameter: method, one of {methods}.",
            methods=", ".join(_METHODS),
        )
        raise XapiParameterInvalid(message)
    fields = await _fields(Request(scope, receive))
    headers = _headers(scope, fields)
    if negotiate_version(headers.get(VERSION_HEADER, "")) is XapiVersion.V2_0:
        message = Text("xAPI 2.0 has no alternate request syntax; send the request itself.")
        raise XapiParameterInvalid(message)
    content = fields.get("content")
    if content is None and method in ("PUT", "POST"):
        message = Text("The form has no field `content`, which is the body of the {method}.", method=method)
        raise MalformedBody(message)
    body = (content or "").encode("utf-8", "surrogateescape")
    headers["Content-Length"] = str(len(body))
    parameters = {name: value for name, value in fields.items() if name.lower() not in (*_HEADERS, "content")}
    found = {**scope, "method": method, "query_string": urlencode(parameters).encode(), "headers": headers.raw}
    return found, _whole(body)


async def _fields(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        message = Text("A request in the alternate syntax is a form: send it as {form}.", form=_FORM)
        raise XapiParameterInvalid(message)
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        message = Text("The body is not {form}.", form=_FORM)
        raise MalformedBody(message) from error
    if len(dict(pairs)) < len(pairs):
        message = Text("A field of the form is there twice.")
        raise MalformedBody(message)
    return dict(pairs)


def _headers(scope: Scope, fields: Mapping[str, str]) -> MutableHeaders:
    headers = MutableHeaders(raw=list(Headers(scope=scope).raw))
    headers["Content-Type"] = "application/json"
    for name, value in fields.items():
        if name.lower() in _HEADERS:
            if not (value.isprintable() and value.isascii()):
                message = Text("The field {name} has characters that no header has.", name=name)
                raise XapiParameterInvalid(message)
            headers[name] = value
    return headers


def _whole(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
