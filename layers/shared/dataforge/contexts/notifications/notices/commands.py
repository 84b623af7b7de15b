"""Put on its way what an event leads to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.notifications.messages.domain import Status
from dataforge.contexts.notifications.notices.domain import Notice, notices_of
from dataforge.contexts.notifications.reminders.queries import learners_of
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.events import Event
from dataforge.kernel.ids import uuid7

UNKNOWN = "DataForge"  # who did it, where it was the system or somebody who is no longer there


@dataclass(frozen=True, slots=True)
class Notify:
    """An event that people hear of."""

    event: Event


async def notify(command: Notify, uow: NotificationsUnitOfWork) -> int:
    """Add its messages; returns how many are new, which an event that comes again has none of."""
    notices = list(notices_of(command.event))
    names = await _names(notices, uow)
    rows = [
        {
            "id": uuid7(),
            "user_id": notice.user_id,
            "address": notice.address,
            "kind": notice.kind,
            "local_date": uow.now.date(),
            "dedupe_key": notice.dedupe_key(command.event.event_id),
            "content": {
                **notice.content,
                **{member: names.get(notice.content[member], UNKNOWN) for member in notice.people},
            },
            "status": Status.PENDING,
            "not_before": uow.now,
        }
        for notice in notices
    ]
    return await uow.messages.add(rows)


async def _names(notices: Iterable[Notice], uow: NotificationsUnitOfWork) -> Mapping[str, str]:
    named = {notice.content[member] for notice in notices for member in notice.people}
    ids = [UUID(value) for value in named if value != str(None)]
    if not ids:
        return {}
    return {str(user_id): person.name for user_id, person in (await learners_of(uow.connection, ids)).items()}
