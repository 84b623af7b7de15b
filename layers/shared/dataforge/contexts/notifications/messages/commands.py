"""Send what is waiting: claim, look again whether it may still be sent, hand over, write down what became of it."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import UUID

from dataforge.contexts.identity.contract import AccountEvent, AccountMails
from dataforge.contexts.notifications.calendar.domain import KIND as LESSON_CALENDAR
from dataforge.contexts.notifications.messages.domain import (
    Dropped,
    Failed,
    Message,
    Outcome,
    Postponed,
    Sent,
    Status,
)
from dataforge.contexts.notifications.messages.queries import People, find_people
from dataforge.contexts.notifications.notices.domain import DRAFTED_EVENTS, EVENT
from dataforge.contexts.notifications.preferences.domain import KINDS, Kind
from dataforge.contexts.notifications.reminders.domain import KIND, SLOT, Learner, Withheld, slot_of
from dataforge.contexts.notifications.reminders.queries import learners_of
from dataforge.contexts.notifications.suppressions.domain import Scope, email_hash, is_silenced
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.contexts.workspaces.contract import InvitationMails, InvitationSent
from dataforge.http.addresses import public_address
from dataforge.kernel.mail import MailDraft
from dataforge.platform.db.outbox import event_of
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.mail.languages import Reader
from dataforge.platform.mail.message import Attachment, Mail
from dataforge.platform.mail.senders import UndeliverableAddress
from dataforge.platform.mail.templates import compose
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.notifications.module import NotificationsServices

BATCH = 50  # mails handed over at once, and what a killed sender has in its hands at most
KEPT_FOR = timedelta(days=90)
_PREFERENCES = "/ui/notification-preferences"
_NOBODY = Dropped(Status.SUPPRESSED, "the account is gone or suspended")


@dataclass(frozen=True, slots=True)
class SendWaiting:
    """Send at most so many messages of these kinds (all of them without) whose time has come."""

    limit: int = 20_000
    kinds: frozenset[str] = frozenset(KINDS)


@dataclass(frozen=True, slots=True)
class _Ready:
    message: Message
    mail: Mail


Drafts = Mapping[UUID, MailDraft | Failed | None]


async def claim(command: SendWaiting, uow: NotificationsUnitOfWork) -> Sequence[Message]:
    """Take messages to send; they are ours for ten minutes."""
    return await uow.messages.claim(command.limit, command.kinds)


async def record(outcomes: Sequence[tuple[Message, Outcome]], uow: NotificationsUnitOfWork) -> Counter[str]:
    """Write what became of claimed messages."""
    return Counter(status.value for status in await uow.messages.record(outcomes))


async def forget_old_messages(kept_for: timedelta, uow: NotificationsUnitOfWork) -> int:
    """Delete messages that ended longer ago than that; returns how many."""
    return await uow.messages.forget_old(uow.now - kept_for)


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
            claimed = await run(self._uow(), claim, replace(command, limit=size))
            if not claimed:
                break
            counts += await self._send(claimed)
        return dict(counts)

    async def _send(self, claimed: Sequence[Message]) -> Counter[str]:
        drafts = await self._drafts(claimed)
        async with self._services.database.read_only() as connection:
            written = [draft.user_id for draft in drafts.values() if isinstance(draft, MailDraft) and draft.user_id]
            ids = [message.user_id for message in claimed if message.user_id is not None]
            learners = await learners_of(connection, [*ids, *written])
            people = await find_people(connection, learners, _addresses(claimed, drafts))
        now = self._services.clock.now()
        prepared = [(message, self._prepare(message, drafts, people, now)) for message in claimed]
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

    async def _drafts(self, claimed: Sequence[Message]) -> Drafts:
        """The mails that other contexts write, by message."""
        return {message.id: await self._draft(message) for message in claimed if message.kind in DRAFTED_EVENTS}

    async def _draft(self, message: Message) -> MailDraft | Failed | None:
        try:
            event = event_of(DRAFTED_EVENTS[message.kind], UUID(message.content["event_id"]), message.content[EVENT])
            if isinstance(event, InvitationSent):
                return await self._services.platform.get(InvitationMails).draft(event)
            return await self._services.platform.get(AccountMails).draft(cast("AccountEvent", event))
        except Exception as error:  # noqa: BLE001 - one mail that cannot be written must not stop the others
            return _failed("mail not written", error)

    def _prepare(
        self, message: Message, drafts: Drafts, people: People, now: datetime
    ) -> _Ready | Dropped | Postponed | Failed:
        if message.kind in DRAFTED_EVENTS:
            return self._prepare_draft(message, drafts[message.id], people)
        kind = KINDS[message.kind]
        learner = people.learners.get(message.user_id) if message.user_id else None
        address = message.address or (learner.email if learner else None)
        if address is None or (message.user_id and learner is None):
            return _NOBODY
        kept_back = _kept_back(message, address, people) or (learner and _not_now(message, learner, now))
        if kept_back:
            return kept_back
        try:
            return _Ready(message, self._compose(message, kind, address, learner))
        except Exception as error:  # noqa: BLE001 - as above
            return _failed("mail not written", error)

    def _prepare_draft(
        self, message: Message, draft: MailDraft | Failed | None, people: People
    ) -> _Ready | Dropped | Failed:
        """One that somebody needs: neither preferences nor quiet hours keep it back."""
        if draft is None:
            return Dropped(Status.SUPPRESSED, "there is nobody to tell, or nothing to tell any more")
        if isinstance(draft, Failed):
            return draft
        if is_silenced(people.suppressed.get(email_hash(draft.to), {}), None):
            return Dropped(Status.SUPPRESSED, Withheld.SUPPRESSED.value)
        learner = people.learners.get(draft.user_id) if draft.user_id else people.by_address.get(draft.to.lower())
        try:
            mail = compose(draft.template, draft.to, draft.values, reader=_reader(learner))
        except Exception as error:  # noqa: BLE001 - as above
            return _failed("mail not written", error)
        return _Ready(message, mail.with_id(str(message.id)))

    def _compose(self, message: Message, kind: Kind, address: str, learner: Learner | None) -> Mail:
        link = self._services.unsubscribe_links.link(email_hash(address), kind.scope or Scope.ALL)
        base = self._services.settings.public_base_url
        page = message.content.get("page")
        values = {
            "name": learner.name if learner else "",
            "unsubscribe_page": link.page,
            "preferences_page": public_address(base, _PREFERENCES),
            "link": public_address(base, *page) if page else None,
            **message.content,
        }
        headers = {"List-Unsubscribe": f"<{link.one_click}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        mail = compose(str(kind.template), address, values, headers=headers, reader=_reader(learner))
        if message.kind == LESSON_CALENDAR and learner:
            mail = replace(mail, attachments=self._invitations(message, learner))
        return mail.with_id(str(message.id))

    def _invitations(self, message: Message, learner: Learner) -> tuple[Attachment, ...]:
        from dataforge.contexts.notifications.calendar.objects import Attendee, invitation_attachments

        attendee = Attendee(learner.user_id, learner.name, learner.email)
        organizer = self._services.settings.mail_from
        return invitation_attachments(message.content, attendee, organizer, self._services.clock.now())

    async def _hand_over(self, mail: Mail) -> Sent | Dropped | Failed:
        try:
            return Sent(await self._services.platform.mailer.send(mail))
        except UndeliverableAddress as error:
            return Dropped(Status.FAILED, f"the provider knows no such recipient ({error})")
        except Exception as error:  # noqa: BLE001 - one mail that fails must not stop the others; it is tried again
            return _failed("mail not taken", error)

    def _uow(self) -> NotificationsUnitOfWork:
        return self._services.unit_of_work(NotificationsUnitOfWork)


def _kept_back(message: Message, address: str, people: People) -> Dropped | None:
    """Whether whoever it goes to does not want it, or their address does not take it."""
    if message.user_id and (message.user_id, message.kind) in people.declined:
        return Dropped(Status.SUPPRESSED, Withheld.NOT_WANTED.value)
    if is_silenced(people.suppressed.get(email_hash(address), {}), KINDS[message.kind].scope):
        return Dropped(Status.SUPPRESSED, Withheld.SUPPRESSED.value)
    return None


def _not_now(message: Message, learner: Learner, now: datetime) -> Dropped | Postponed | None:
    """Whether it is too late for it, or too early."""
    if message.kind == KIND and learner.today(now) > message.local_date:
        return Dropped(Status.SKIPPED, "its day is over; the next day's reminder says the same")
    if message.kind == KIND and learner.today(now) < message.local_date:
        # They have gone to a zone where that day is still to come, and it will have no other reminder.
        return Postponed(learner.reminded_at(message.local_date))
    return None if learner.may_be_mailed(now) else Postponed(_end_of_quiet(learner, now))


def _addresses(claimed: Sequence[Message], drafts: Drafts) -> list[str]:
    given = [message.address for message in claimed if message.address]
    return given + [draft.to for draft in drafts.values() if isinstance(draft, MailDraft)]


def _reader(learner: Learner | None) -> Reader:
    return Reader() if learner is None else Reader(learner.locale, learner.zone)


def _failed(what: str, error: Exception) -> Failed:
    logger.warning(what, exc_info=True)
    return Failed(f"{type(error).__name__}: {error}"[:500])


def _end_of_quiet(learner: Learner, now: datetime) -> datetime:
    """Find when the quiet hours end, by quarter hours: a day has few, and clocks may jump."""
    instant = slot_of(now) + SLOT
    while not learner.may_be_mailed(instant):
        instant += SLOT
    return instant
