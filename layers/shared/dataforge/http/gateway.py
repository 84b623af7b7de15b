"""An app behind API Gateway: its events in, its answers out."""

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mangum import Mangum

from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.platform.loop import own_event_loop

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Part of every media type: whatever is UTF-8 goes out as text, also a multipart body or a document of any type. It
# arrives byte for byte, while API Gateway decodes Base64 for clients with a fitting Accept only, and many send none.
_EVERY_MEDIA_TYPE = ""
# Lambda answers 6 MB of JSON, in which a quotation mark takes two bytes, and a Cyrillic letter may take six.
_MOST_BYTES = 6_000_000
_SURELY_FITS = _MOST_BYTES // 6


class AcceptMissing(DataForgeError):
    """The answer is bytes, which the gateway gives only to clients that say what they accept: send `Accept: */*`."""

    code = "accept_missing"
    status = 406
    title = "The header Accept is missing"


class ReadableAnswers:
    """Answers clients without Accept with a problem where the gateway would hand them Base64 as if it were the body."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass the request on; hold its answer back until it is known to be text, if there is no Accept."""
        if scope["type"] != "http" or any(name == b"accept" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: "Message") -> None:
            held.append(message)

        await self._app(scope, receive, hold)
        if _fits_as_text(held):
            for message in held:
                await send(message)
        else:
            await _refuse(scope, held[0], receive, send)


def _fits_as_text(answer: "list[Message]") -> bool:
    try:
        return _fits(b"".join(message.get("body", b"") for message in answer).decode())
    except UnicodeDecodeError:
        return False


def _fits(text: str) -> bool:
    return len(text) <= _SURELY_FITS or len(json.dumps(text)) <= _MOST_BYTES


async def _refuse(scope: "Scope", start: "Message", receive: "Receive", send: "Send") -> None:
    from dataforge.http.problems import problem_response

    message = Text("This answer is sent as bytes. Send the header Accept, such as */*.")
    problem = problem_response(AcceptMissing(message), scope)
    own = {name for name, _ in problem.raw_headers}
    # What every answer has: the version of the protocol, the request's id, CORS.
    kept = [(name, value) for name, value in start["headers"] if name.lower() not in {*own, b"etag", b"last-modified"}]
    problem.raw_headers.extend(kept)
    await problem(scope, receive, send)


def http_handler(asgi: "ASGIApp") -> Callable[[Any, Any], Any]:
    """A Lambda handler for an ASGI app behind API Gateway."""
    own_event_loop()
    mangum = Mangum(ReadableAnswers(asgi), lifespan="off", text_mime_types=[_EVERY_MEDIA_TYPE])

    def handle(event: Any, context: Any) -> Any:  # noqa: ANN401 - an event and a context of Lambda
        answer = mangum(event, context)
        if not answer["isBase64Encoded"] and not _fits(answer["body"]):
            # In Base64 it takes a third more than it has, whatever is in it.
            encoded = base64.b64encode(answer["body"].encode()).decode()
            return {**answer, "body": encoded, "isBase64Encoded": True}
        return answer

    return handle
