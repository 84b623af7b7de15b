"""An app behind API Gateway: its events in, its answers out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mangum import Mangum

from dataforge.platform.loop import own_event_loop

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# Parts of the media types whose bodies are UTF-8 text; bytes that are none go out in Base64 all the same.
TEXT_MEDIA_TYPES = ("text/", "/json", "+json", "/xml", "+xml", "/javascript", "/x-ndjson", "/jsonl")


def http_handler(asgi: "ASGIApp") -> Callable[[Any, Any], Any]:
    """A Lambda handler for an ASGI app behind API Gateway."""
    own_event_loop()
    # What is not named here goes out in Base64, which API Gateway decodes for clients with a fitting Accept only.
    return Mangum(asgi, lifespan="off", text_mime_types=list(TEXT_MEDIA_TYPES))  # type: ignore[arg-type]  # Mangum wants a coroutine function, ASGI an awaitable
