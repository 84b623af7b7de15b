"""What is sent to a webhook and to another record store, and what their answers mean."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from dataforge.contexts.lrs.attachments.domain import mixed_body, named_in
from dataforge.contexts.lrs.forwarding.domain import (
    Delivery,
    Outcome,
    Refused,
    Subscription,
    as_sent,
    basic,
    webhook_body,
)
from dataforge.contexts.lrs.statements.domain import read_statement, same_statement, to_json
from dataforge.kernel.texts import Text
from dataforge.platform.deliveries.domain import Verdict, retry_after_of
from dataforge.platform.deliveries.sending import ask, post_webhook, words_of
from dataforge.platform.outgoing import Answer

if TYPE_CHECKING:
    from dataforge.contexts.lrs.attachments.store import AttachmentStore

Statement = Mapping[str, Any]
BISECTING_SECONDS = 60.0
"""How long the bad statement of a batch is looked for in one attempt; the next goes on with what is left."""
_MOST_DATA_BYTES = 64 * 1024 * 1024
# The request as a whole is at fault: the same again changes nothing.
_REFUSALS = frozenset({400, 409, 413, 415, 422})
_NOT_ALLOWED = frozenset({401, 403})


def _failed(answer: Answer, left: Sequence[UUID], refused: Sequence[Refused] = ()) -> Outcome:
    return Outcome(
        Verdict.RETRY, left, refused, answer.status, words_of(answer), retry_after=retry_after_of(answer.headers)
    )


async def send_webhook(
    subscription: Subscription,
    delivery: Delivery,
    statements: Sequence[Statement],
    secrets: Sequence[str],
    now: datetime,
    *,
    private: bool,
) -> Outcome:
    """One request in the form of Standard Webhooks (`platform.deliveries.sending.post_webhook`)."""
    body = webhook_body(delivery, statements)
    attempt = await post_webhook(subscription.url, delivery.id, body, secrets, now, private=private)
    left = () if attempt.verdict is Verdict.DELIVERED else list(delivery.statement_ids)
    return Outcome(attempt.verdict, left, status=attempt.status, error=attempt.error, retry_after=attempt.retry_after)


@dataclass(slots=True)
class StoreReceiver:
    """Another record store: statements go there in batches with their ids, so that a repetition does no harm."""

    subscription: Subscription
    secret: str
    attachments: "AttachmentStore"
    private: bool
    monotonic: Callable[[], float] = time.monotonic
    refused: list[Refused] = field(default_factory=list)

    async def test(self) -> Outcome:
        """Ask for one statement."""
        answer = await self._ask("GET", "?limit=1", None, {})
        if isinstance(answer, str):
            return Outcome(Verdict.RETRY, error=answer)
        if answer.status == 200:
            return Outcome(Verdict.DELIVERED, status=200)
        return _failed(answer, ())

    async def send(self, statements: Sequence[Statement]) -> Outcome:
        """Send statements; a batch that is refused is halved until the one that is at fault stands alone."""
        todo, deadline, status = [list(statements)], self.monotonic() + BISECTING_SECONDS, None
        while todo:
            batch = todo[0]
            left = [UUID(str(item["id"])) for part in todo for item in part]
            if self.monotonic() > deadline:
                return Outcome(
                    Verdict.RETRY, left, self.refused, status, Text("Goes on: a statement at fault is looked for.")
                )
            answer = await self._post(batch)
            if isinstance(answer, str):
                return Outcome(Verdict.RETRY, left, self.refused, error=answer)
            status = answer.status
            if answer.status in _NOT_ALLOWED:
                reason = Text("The store does not let us in ({answer}).", answer=words_of(answer))
                return Outcome(Verdict.STOP, left, self.refused, status, reason)
            if answer.status in _REFUSALS:
                todo[:1] = self._halves(batch) or await self._alone(batch[0], answer)
            elif 200 <= answer.status < 300:
                todo.pop(0)
            else:
                return _failed(answer, left, self.refused)
        return Outcome(Verdict.DELIVERED, (), self.refused, status)

    @staticmethod
    def _halves(batch: list[Statement]) -> list[list[Statement]]:
        middle = len(batch) // 2
        return [batch[:middle], batch[middle:]] if middle else []

    async def _alone(self, statement: Statement, answer: Answer) -> list[list[Statement]]:
        """Refuse a statement for good, unless the store has it already."""
        if answer.status != 409 or not await self._has(statement):
            self.refused.append(Refused(UUID(str(statement["id"])), words_of(answer)))
        return []

    async def _has(self, statement: Statement) -> bool:
        answer = await self._ask("GET", f"?statementId={quote(str(statement['id']))}", None, {})
        if isinstance(answer, str) or answer.status != 200:
            return False
        try:
            return same_statement(dict(statement), read_statement(answer.body))
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            return False

    async def _post(self, batch: Sequence[Statement]) -> Answer | str:
        body, content_type = to_json([as_sent(item) for item in batch]), "application/json"
        data = await self.attachments.read(list(named_in(batch)), most_bytes=_MOST_DATA_BYTES)
        if data:
            body, content_type = mixed_body(body, data)
        return await self._ask("POST", "", body, {"Content-Type": content_type})

    async def _ask(self, method: str, query: str, body: bytes | None, headers: Mapping[str, str]) -> Answer | str:
        sent = {
            "Authorization": basic(self.subscription.username or "", self.secret),
            "X-Experience-API-Version": self.subscription.xapi_version,
            **headers,
        }
        url = f"{self.subscription.url.rstrip('/')}/statements{query}"
        return await ask(method, url, sent, body, private=self.private)
