"""How large an answer may be."""

from starlette.responses import Response

from dataforge.kernel.errors import BadRequest

# Lambda's answers have at most 6 MB, and a third of that is lost to base64 where bodies are binary.
MAX_ANSWER_BYTES = 4 * 1024 * 1024


class AnswerTooLarge(BadRequest):
    """The rows asked for do not fit into one answer."""

    code = "answer_too_large"
    status = 422
    title = "The answer would be too large"


def sendable(response: Response, advice: str) -> Response:
    """The response if it fits through the gateway; raises AnswerTooLarge, with advice, if it does not."""
    if len(response.body) > MAX_ANSWER_BYTES:
        message = (
            f"The answer would have {len(response.body):,} bytes; at most {MAX_ANSWER_BYTES:,} go through. {advice}"
        )
        raise AnswerTooLarge(message, facts={"limit_bytes": MAX_ANSWER_BYTES})
    return response
