"""Which pages of other origins may call us from a browser (CORS, Fetch Standard §3.2)."""

import re
from collections.abc import Iterable

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_ANY_PORT = ":*"
_ANY_ORIGIN = ("*",)


class CrossOrigin:
    """Lets pages of `origins` read answers, and pages of every origin those at `open_paths`; no others."""

    def __init__(self, app: ASGIApp, *, origins: Iterable[str], open_paths: Iterable[str] = ()) -> None:
        given = list(origins)
        self._open_paths = frozenset(open_paths)
        self._for_given = _cors(app, given) if given else app
        self._for_any = _cors(app, _ANY_ORIGIN) if self._open_paths else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what a browser asks before a request, or pass the request on."""
        is_open = scope["type"] == "http" and scope["path"] in self._open_paths
        await (self._for_any if is_open else self._for_given)(scope, receive, send)


def _cors(app: ASGIApp, origins: Iterable[str]) -> ASGIApp:
    return CORSMiddleware(app, **cors_options(origins))  # type: ignore[arg-type]  # options of different types in one dict


def cors_options(origins: Iterable[str]) -> dict[str, object]:
    """Arguments of Starlette's CORS middleware for our API: bearer tokens in a header, no cookies.

    An origin with `:*` at its end, such as `http://localhost:*`, stands for every port of that host.
    """
    given = list(origins)
    hosts = [re.escape(origin.removesuffix(_ANY_PORT)) for origin in given if origin.endswith(_ANY_PORT)]
    return {
        "allow_origins": [origin for origin in given if not origin.endswith(_ANY_PORT)],
        "allow_origin_regex": rf"({'|'.join(hosts)})(:[0-9]{{1,5}})?" if hosts else None,
        "allow_methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        "allow_headers": [
            "Authorization",
            "Content-Type",
            "If-Match",
            "If-None-Match",
            "Idempotency-Key",
            "X-Request-Id",
            "X-Experience-API-Version",
            "X-Signature",
            "Accept-Language",
        ],
        "expose_headers": [
            "Content-Disposition",
            "Content-Language",
            "ETag",
            "Idempotency-Replayed",
            "Last-Modified",
            "Link",
            "Location",
            "Retry-After",
            "X-Removed-Since",
            "X-Result-Truncated",
            "X-Request-Id",
            "X-Watermark",
            "X-Experience-API-Version",
            "X-Experience-API-Consistent-Through",
        ],
        "max_age": 3600,
    }
