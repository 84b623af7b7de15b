"""Where a request comes from."""

from starlette.requests import Request


def client_address(request: Request) -> str:
    """The IP address a request came from, as API Gateway saw it; empty if nobody did.

    Never from X-Forwarded-For: its first entries are the client's own words.
    """
    event = request.scope.get("aws.event")
    if event is not None:
        return str(event.get("requestContext", {}).get("identity", {}).get("sourceIp") or "")
    return request.client.host if request.client else ""
