"""The end of a request that was answered before; apart from `http.call`, so that an app starts without the database."""

from starlette.requests import Request
from starlette.responses import Response


class Replayed(Exception):
    """This Idempotency-Key has been answered; `response` is the answer the first request got."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


async def handle_replayed(_request: Request, replayed: Exception) -> Response:
    """Handler of Replayed."""
    assert isinstance(replayed, Replayed)  # noqa: S101 - registered for this class only
    return replayed.response
