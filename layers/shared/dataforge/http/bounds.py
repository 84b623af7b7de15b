"""How large an answer may be."""

import gzip
import re

from starlette.responses import Response
from starlette.types import Scope

from dataforge.http.addresses import own_address
from dataforge.http.negotiation import accepts_gzip
from dataforge.kernel.errors import BadRequest, PayloadTooLarge
from dataforge.kernel.limits import body_too_large
from dataforge.kernel.texts import Text

# Lambda's answers have at most 6 MB, and a third of that is lost to base64 where bodies are binary.
MAX_ANSWER_BYTES = 4 * 1024 * 1024
# Routes whose body is a file, and the one beside them that takes files of any size.
_FILES = re.compile(r"(/api/datasets/[^/]+/refs/[^/]+)/file(?:/plan)?")


class AnswerTooLarge(BadRequest):
    """The rows asked for do not fit into one answer."""

    code = "answer_too_large"
    status = 422
    title = "The answer would be too large"


def sendable(response: Response, advice: str, accept_encoding: str = "") -> Response:
    """The response if it fits through the gateway, packed if it does not and the client takes gzip (RFC 9110 §12.5.3).

    Raises AnswerTooLarge, with advice, for what does not fit either way.
    """
    if len(response.body) > MAX_ANSWER_BYTES and accepts_gzip(accept_encoding):
        packed = gzip.compress(response.body, compresslevel=1, mtime=0)
        if len(packed) <= MAX_ANSWER_BYTES:
            kept = {name: value for name, value in response.headers.items() if name != "content-length"}
            return Response(packed, response.status_code, {**kept, "Content-Encoding": "gzip"})
    if len(response.body) > MAX_ANSWER_BYTES:
        message = Text(
            "The answer would have {count:,} bytes; at most {max_answer_bytes:,} go through. {advice}",
            count=len(response.body),
            max_answer_bytes=MAX_ANSWER_BYTES,
            advice=advice,
        )
        raise AnswerTooLarge(message, facts={"limit_bytes": MAX_ANSWER_BYTES})
    return response


def too_large(limit: int, scope: Scope) -> PayloadTooLarge:
    """The refusal of a body of more than `limit` bytes; where it is a file it names the route for larger ones."""
    refusal, files = body_too_large(limit), _FILES.fullmatch(scope["path"])
    if files is None:
        return refusal
    route = own_address(scope, f"{files[1]}/uploads")
    message = Text(
        "The file is over the limit of {limit:,} bytes for one call. Upload it in parts: POST {route}.",
        limit=limit,
        route=route,
    )
    return PayloadTooLarge(message, facts={**refusal.facts, "upload_url": route})
