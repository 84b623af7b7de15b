"""Learners, cohorts, lessons and completions in the tables, and the services of notifications with real mail."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from dataforge.contexts.identity.tables import users
from dataforge.contexts.learning.tables import cohort_members, cohorts, lessons
from dataforge.contexts.lrs.progress.repository import count_again
from dataforge.contexts.lrs.tables import statements_flat
from dataforge.contexts.notifications.module import NotificationsServices
from dataforge.contexts.notifications.tables import messages
from dataforge.kernel.ids import uuid7
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import row_dict
from dataforge.platform.mail.senders import SmtpSender
from infra.local.mailbox import Mailbox
from tests.builders.api import ApiUnderTest

SENDER = "no-reply@dataforge.example"
BASE = "https://learn.example.org/prod"


class Classroom:
    """Writes what reminders are planned from."""

    def __init__(self, api: ApiUnderTest) -> None:
        self.api = api
        self.database = api.database

    async def learner(self, **values: Any) -> UUID:
        """A learner with a time zone of their own; returns the id."""
        return await self.api.add_user(Role.LEARNER, **{"time_zone": "Europe/Berlin", **values})

    async def cohort(self, *members: UUID, name: str = "", active: bool = True) -> UUID:
        """A cohort with members; returns the id."""
        cohort_id, now = uuid7(), self.api.platform.clock.now()
        values = {"id": cohort_id, "name": name or f"Cohort {cohort_id.hex[-8:]}", "active": active}
        async with self.database.transaction() as connection:
            await connection.execute(insert(cohorts).values(**values, created_at=now, updated_at=now))
            if members:
                rows = [{"cohort_id": cohort_id, "user_id": member, "joined_at": now} for member in members]
                await connection.execute(insert(cohort_members), rows)
        return cohort_id

    async def lesson(self, cohort_id: UUID | None, day: date | None, title: str = "Fire safety", **values: Any) -> UUID:
        """A required lesson of a cohort, or of all; returns the id."""
        lesson_id, now = uuid7(), self.api.platform.clock.now()
        row = {
            "id": lesson_id,
            "cohort_id": cohort_id,
            "lesson_url": f"https://lms.example.org/{lesson_id}",
            "title": title,
            "lesson_date": day,
            "created_at": now,
            "updated_at": now,
            **values,
        }
        async with self.database.transaction() as connection:
            await connection.execute(insert(lessons).values(**row))
        return lesson_id

    async def complete(self, user_id: UUID, lesson_id: UUID, *, voided: bool = False) -> None:
        """A statement that says so."""
        now = self.api.platform.clock.now()
        row = {
            "statement_id": uuid7(),
            "actor_key": "somebody",
            "user_id": user_id,
            "verb_id": "http://adlnet.gov/expapi/verbs/completed",
            "object_type": "Activity",
            "lesson_id": lesson_id,
            "completes": True,
            "voided": voided,
            "voided_from": now if voided else None,
            "occurred_at": now,
            "stored_at": now,
            "processed_at": now,
        }
        async with self.database.transaction() as connection:
            await connection.execute(insert(statements_flat).values(**row))
            await count_again(connection, {(user_id, lesson_id)})


class School(Classroom):
    """Runs reminders, with real mail."""

    def __init__(self, api: ApiUnderTest, mailbox: Mailbox) -> None:
        super().__init__(api)
        self.mailbox = mailbox
        self.services = self.worker()

    def worker(self, function: str = "reminders") -> NotificationsServices:
        """The services of another process of a function."""
        platform = self.api.platform_of(function)
        platform.settings = platform.settings.model_copy(update={"public_base_url": BASE, "mail_from": SENDER})
        platform.mailer = SmtpSender(self.mailbox.smtp_url, SENDER)
        return platform.get(NotificationsServices)

    async def email(self, user_id: UUID) -> str:
        """Somebody's address."""
        async with self.database.read_only() as connection:
            return str(await connection.scalar(select(users.c.email).where(users.c.id == user_id)))

    async def messages(self) -> Sequence[dict[str, Any]]:
        """Every message, in order of creation."""
        async with self.database.read_only() as connection:
            return [row_dict(row) for row in await connection.execute(select(messages).order_by(messages.c.id))]

    async def statuses(self) -> list[str]:
        """What became of each message."""
        return [row["status"] for row in await self.messages()]

    def recipients(self) -> list[str]:
        """Who got a mail, as often as they got one; the same Message-ID is the same mail."""
        found = {str(mail.message["Message-ID"]): mail.recipients[0] for mail in self.mailbox.mails()}
        return sorted(found.values())


def instant(text: str) -> datetime:
    """An instant from ISO 8601 with an offset."""
    return datetime.fromisoformat(text)
