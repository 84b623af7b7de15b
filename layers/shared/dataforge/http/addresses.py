"""Addresses of our own as the client knows them; nothing else in the package makes one.

An address is an absolute path (RFC 3986 §4.2): the client resolves it against the host and scheme it called, so that no
forwarded host needs to be trusted.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

PUBLIC_BASE_URL = "dataforge.public_base_url"  # where the envelope leaves the configured address
_BASE = "dataforge.base_path"
_FORWARDED_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+/?")
_SAFE_IN_SEGMENT = ":@!$&'()*+,;="  # what a segment may hold as it is (RFC 3986 §3.3)
_SAFE = "/" + _SAFE_IN_SEGMENT


def own_address(scope: Scope, path: str, *segments: object, query: Mapping[str, object] | None = None) -> str:
    """The address of `path` (one of our routes, `/api/courses`) with `segments` after it, percent-encoded.

    `query`: its parameters, lists repeated; None and empty texts are left out.

    What stands before our paths is, in this order: the path of the configured public address, the X-Forwarded-Prefix of
    a proxy, what API Gateway puts there (its stage; nothing behind a custom domain).
    """
    rest = "".join("/" + quote(str(segment), safe=_SAFE_IN_SEGMENT) for segment in segments)
    address = _base_path(scope) + quote(path, safe=_SAFE) + rest
    given = {name: value for name, value in (query or {}).items() if value not in (None, "", [])}
    return f"{address}?{urlencode(given, doseq=True)}" if given else address


def public_address(base: str, path: str, *segments: object, **query: object) -> str:
    """The whole address of one of our paths, with `segments` after it, for the reader of a mail, say.

    `base` is the configured public address (`public_base_url`); raises ValueError where there is none.
    """
    if not base:
        message = "PUBLIC_BASE_URL is not set, so that no address of ours can be written into a mail"
        raise ValueError(message)
    rest = "".join("/" + quote(str(segment), safe=_SAFE_IN_SEGMENT) for segment in segments)
    address = base.rstrip("/") + quote(path, safe=_SAFE) + rest
    return f"{address}?{urlencode(query)}" if query else address


def absolute_address(scope: Scope, path: str, *segments: object, **query: object) -> str:
    """The whole address of one of our paths, to be stored or passed on: configured, or on the host that was called."""
    if scope.get(PUBLIC_BASE_URL):
        return public_address(scope[PUBLIC_BASE_URL], path, *segments, **query)
    host = Headers(scope=scope).get("host", "localhost")
    return f"{scope.get('scheme', 'https')}://{host}{own_address(scope, path, *segments, query=query)}"


def object_location(link: str) -> dict[str, str]:
    """The header that leads to a stored object: its presigned address is none of ours and is passed on as it is."""
    return {"Location": link}


def this_address(scope: Scope, **changed: object) -> str:
    """The address of the request itself; with `changed` also its query, with these parameters replaced."""
    address = own_address(scope, scope["path"])
    if not changed:
        return address
    given = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in given if name not in changed]
    return f"{address}?{urlencode([*kept, *changed.items()])}"


def _base_path(scope: Scope) -> str:
    if _BASE not in scope:
        configured = scope.get(PUBLIC_BASE_URL)
        forwarded = Headers(raw=scope.get("headers", [])).get("x-forwarded-prefix", "")
        if configured:
            base = urlsplit(configured).path
        elif _FORWARDED_PREFIX.fullmatch(forwarded):
            base = forwarded
        else:
            base = _stage(scope)
        scope[_BASE] = quote(base.rstrip("/"), safe=_SAFE + "%")
    found: str = scope[_BASE]
    return found


def _stage(scope: Scope) -> str:
    # API Gateway takes the stage off `path` and leaves it in `requestContext.path`. The two may be encoded differently,
    # so that segments are counted.
    event = scope.get("aws.event") or {}
    outside = str(event.get("requestContext", {}).get("path") or "").rstrip("/").split("/")
    inside = str(event.get("path") or scope["path"]).rstrip("/").split("/")
    return "/".join(outside[: max(0, len(outside) - len(inside) + 1)])
