"""What the gateway changes about an address before we see it."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request


def public_path(request: Request) -> str:
    """The request's path as the client knows it, percent-encoded: with what stands before ours at the public address.

    That is the path of the configured address, if there is one. Else the gateway tells: API Gateway takes the stage off
    `path` and leaves it in `requestContext.path`.
    """
    path: str = request.scope["path"]
    base: str = getattr(request.app.state, "public_base_url", "")
    if base:
        path = urlsplit(base).path.rstrip("/") + path
    else:
        event = request.scope.get("aws.event") or {}
        outside = str(event.get("requestContext", {}).get("path") or "")
        path = outside if outside.endswith(path) else path
    return quote(path, safe="/%")
