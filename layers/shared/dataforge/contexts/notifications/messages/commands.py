"""Send what is waiting: claim, look again whether it may still be sent, hand over, write down what became of it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from dataforge.contexts.notifications.messages.domain import (
    Dropped,
    Failed,
    Message,
    Outcome,
    Postponed,
    Sent,
    Status,
)
from dataforge.contexts.notifications.reminders.domain import KIND, SLOT, Learner, Withheld, slot_of
from dataforge.contexts.notifications.reminders.queries import learners_of, withheld_from
from dataforge.contexts.notifications.suppressions.domain import Scope, email_hash
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.mail.message import Mail
from dataforge.platform.mail.templates import compose
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices

BATCH = 50  # mails handed over at once, and what a killed sender has in its hands at most


@dataclass(frozen=True, slots=True)
class SendWaiting:
    """Send at most so many messages whose time has come."""

    limit: int = 20_000


@dataclass(frozen=True, slots=True)
class _Ready:
    message: Message
    mail: Mail


async def claim(limit: int, uow: NotificationsUnitOfWork) -> Sequence[Message]:
    """Take messages to send; they are ours for ten minutes."""
    return await uow.messages.claim(limit)


async def record(outcomes: Sequence[tuple[Message, Outcome]], uow: NotificationsUnitOfWork) -> Counter[str]:
    """Write what became of claimed messages."""
    return Counter(status.value for status in await uow.messages.record(outcomes))


class MessageSender:
    """Sends what is waiting, in batches; safe beside other senders, and it may be killed at any moment.

    A message that the provider took and whose sender died before writing so is handed over again under the same
    Message-ID (RFC 5322 §3.6.4), which is how mailboxes tell that it is the same message.
    """

    def __init__(self, services: "NotificationsServices") -> None:
        self._services = services

    async def send_waiting(self, command: SendWaiting) -> dict[str, int]:
        """Counts by what became of each message."""
        counts: Counter[str] = Counter()
        while counts.total() < command.limit:
            size = min(BATCH, command.limit - counts.total())
            claimed = await run(self._uow(), claim, size)
            if not claimed:
                break
            counts += await self._send(claimed)
        return dict(counts)

    async def _send(self, claimed: Sequence[Message]) -> Counter[str]:
        async with self._services.database.read_only() as connection:
            people = await learners_of(connection, [message.user_id for message in claimed])
            withheld = await withheld_from(connection, list(people.values()))
        now = self._services.clock.now()
        prepared = [(message, self._prepare(message, people, withheld, now)) for message in claimed]
        mails = [ready for _, ready in prepared if isinstance(ready, _Ready)]
        handed_over = dict(
            zip(
                [ready.message.id for ready in mails],
                await asyncio.gather(*(self._hand_over(ready.mail) for ready in mails)),
                strict=True,
            )
        )
        outcomes = [
            (message, handed_over[message.id] if isinstance(ready, _Ready) else ready) for message, ready in prepared
        ]
        return await run(self._uow(), record, outcomes)

    def _prepare(
        self, message: Message, people: dict[UUID, Learner], withheld: dict[UUID, Withheld], now: datetime
    ) -> _Ready | Dropped | Postponed:
        learner = people.get(message.user_id)
        if learner is None:
            return Dropped(Status.SUPPRESSED, "the account is gone or suspended")
        if message.user_id in withheld:
            return Dropped(Status.SUPPRESSED, withheld[message.user_id].value)
        if message.kind == KIND and learner.today(now) != message.local_date:
            return Dropped(Status.SKIPPED, "its day is over; the next day's reminder says the same")
        if not learner.may_be_mailed(now):
            return Postponed(_end_of_quiet(learner, now))
        return _Ready(message, self._compose(message, learner))

    def _compose(self, message: Message, learner: Learner) -> Mail:
        link = self._services.unsubscribe_links.link(email_hash(learner.email), Scope.REMINDER)
        values = {"name": learner.name, "unsubscribe_page": link.page, **message.content}
        headers = {"List-Unsubscribe": f"<{link.one_click}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        mail = compose(f"notifications/{message.kind}", learner.email, values, headers=headers)
        return mail.with_id(str(message.id))

    async def _hand_over(self, mail: Mail) -> Sent | Failed:
        try:
            return Sent(await self._services.platform.mailer.send(mail))
        except Exception as error:  # noqa: BLE001 - one mail that fails must not stop the others; it is tried again
            logger.warning("mail not taken", exc_info=True)
            return Failed(f"{type(error).__name__}: {error}"[:500])

    def _uow(self) -> NotificationsUnitOfWork:
        return self._services.unit_of_work(NotificationsUnitOfWork)


def _end_of_quiet(learner: Learner, now: datetime) -> datetime:
    """Find when the quiet hours end, by quarter hours: a day has few, and clocks may jump."""
    instant = slot_of(now) + SLOT
    while not learner.may_be_mailed(instant):
        instant += SLOT
    return instant
