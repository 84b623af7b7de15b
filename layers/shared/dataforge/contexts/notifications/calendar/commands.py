"""Announce dates of lessons to the calendars of their learners: what is new, changed or gone."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dataforge.contexts.notifications.calendar.domain import KIND, MOST_INVITATIONS, Invitation, dedupe_key
from dataforge.contexts.notifications.calendar.queries import unannounced
from dataforge.contexts.notifications.messages.domain import Status
from dataforge.contexts.notifications.reminders.queries import learners_of
from dataforge.contexts.notifications.unit_of_work import NotificationsUnitOfWork
from dataforge.kernel.ids import uuid7

KEPT_FOR = timedelta(days=400)  # longer than calendars of a year look back
_A_DAY = timedelta(days=1)  # no zone is further from UTC


@dataclass(frozen=True, slots=True)
class AnnounceDates:
    """Put at most so many changes on their way."""

    limit: int = 5_000


async def announce_dates(command: AnnounceDates, uow: NotificationsUnitOfWork) -> Counter[str]:
    """Counts of changes by method, and of mails; nothing where somebody else is at it.

    Whatever made a date appear, move or go (a lesson, a cohort, a membership, a learner's own zone) is found by
    comparing what there is with what was sent. Of days that are over where the learner is, nobody has to hear; what
    is over for more than a year is forgotten.
    """
    if not await uow.calendar_events.claim():
        return Counter()
    await uow.calendar_events.forget_before((uow.now - KEPT_FOR).date())
    found = await unannounced(uow.connection, (uow.now - _A_DAY).date(), command.limit)
    learners = await learners_of(uow.connection, list({change.user_id for change in found}))
    changes = [
        change
        for change in found
        if (learner := learners.get(change.user_id)) and change.invitation.lesson.lesson_date >= learner.today(uow.now)
    ]
    await uow.calendar_events.put(found)
    by_learner: dict[UUID, list[Invitation]] = defaultdict(list)
    for change in changes:
        by_learner[change.user_id].append(change.invitation)
    rows = [
        {
            "id": uuid7(),
            "user_id": user_id,
            "kind": KIND,
            "local_date": learners[user_id].today(uow.now),
            "dedupe_key": dedupe_key(user_id, part),
            "content": {"events": [invitation.as_content() for invitation in part]},
            "status": Status.PENDING,
            "last_error": None,
            "not_before": uow.now,
        }
        for user_id, invitations in by_learner.items()
        for part in _parts(invitations)
    ]
    mails = await uow.messages.add(rows)
    methods = Counter(change.invitation.method.value.lower() for change in changes)
    return methods + Counter({"mails": mails})


def _parts(invitations: list[Invitation]) -> Iterator[list[Invitation]]:
    ordered = sorted(invitations, key=lambda item: (item.lesson.lesson_date, item.lesson.title))
    for start in range(0, len(ordered), MOST_INVITATIONS):
        yield ordered[start : start + MOST_INVITATIONS]
