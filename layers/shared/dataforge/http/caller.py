"""Where a request comes from, and from what."""

from starlette.requests import Request


def client_address(request: Request) -> str:
    """The IP address a request came from, as API Gateway saw it; empty if nobody did.

    Never from X-Forwarded-For: its first entries are the client's own words.
    """
    event = request.scope.get("aws.event")
    if event is not None:
        return str(event.get("requestContext", {}).get("identity", {}).get("sourceIp") or "")
    return request.client.host if request.client else ""


def device_name(request: Request) -> str:
    """What the browser or program calls itself (RFC 9110 §10.1.5): the client's own word, to be shown to its person."""
    return "".join(character for character in request.headers.get("user-agent", "") if character.isprintable())
