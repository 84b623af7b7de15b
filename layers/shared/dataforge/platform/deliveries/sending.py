"""One attempt to reach a receiver, and what its answer means."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from dataforge.kernel.errors import ValidationFailed, Violation
from dataforge.kernel.texts import Text
from dataforge.platform.deliveries.domain import Attempt, Verdict, retry_after_of, webhook_headers
from dataforge.platform.outgoing import AddressForbidden, Answer, NoAnswer, check_url, send

_SHOWN = 300
_GONE = 410


def check_receiver(url: str, *, private: bool) -> None:
    """Raise ValidationFailed unless it is an address that we may send to; names are resolved when that is done."""
    try:
        check_url(url, private=private)
    except AddressForbidden as error:
        message = Text("url {error}.", error=error)
        raise ValidationFailed(message, violations=[Violation("/url", message, "url")]) from error


async def ask(method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, private: bool) -> Answer | str:
    """The answer, or why there is none. A redirect is an answer: it is not followed."""
    try:
        return await send(method, url, headers=headers, body=body, private=private)
    except AddressForbidden as error:
        return f"The address {error}"
    except NoAnswer as error:
        return str(error)


def words_of(answer: Answer) -> str:
    """The status and the beginning of what came with it, in one line."""
    text = answer.body[:_SHOWN].decode(errors="replace").replace("\0", "")
    return f"{answer.status}: {' '.join(text.split())}".rstrip(": ")


async def post_webhook(
    url: str, message_id: UUID, body: bytes, secrets: Sequence[str], now: datetime, *, private: bool
) -> Attempt:
    """One request in the form of Standard Webhooks: 2xx is delivered, 410 wants no more, all else is tried again."""
    answer = await ask("POST", url, webhook_headers(secrets, message_id, now, body), body, private=private)
    if isinstance(answer, str):
        return Attempt(Verdict.RETRY, error=answer)
    if 200 <= answer.status < 300:
        return Attempt(Verdict.DELIVERED, answer.status)
    if answer.status == _GONE:
        return Attempt(Verdict.STOP, answer.status, "The receiver wants no more (410 Gone).")
    return Attempt(Verdict.RETRY, answer.status, words_of(answer), retry_after_of(answer.headers))
