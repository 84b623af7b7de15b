"""The inbox: an event is dealt with once by each consumer, whoever comes at the same time and whoever is killed."""

import asyncio
from datetime import timedelta

from dataforge.events.jobs import clean_up
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from dataforge.platform.services import Platform


async def dealt_with(database: Database, clock: FixedClock, consumer: str, event_id: object, *, commit: bool) -> bool:
    async with SqlUnitOfWork(database, clock=clock) as uow:
        first = await uow.inbox.first_time(consumer, event_id)
        if commit:
            await uow.commit()
        return first


async def test_each_consumer_deals_with_an_event_once(database: Database, clock: FixedClock) -> None:
    event = uuid7()

    consumers = ("mail", "mail", "points", "mail")
    found = [await dealt_with(database, clock, consumer, event, commit=True) for consumer in consumers]

    assert found == [True, False, True, False]


async def test_a_consumer_that_ends_before_its_commit_has_dealt_with_nothing(
    database: Database, clock: FixedClock
) -> None:
    event = uuid7()

    assert await dealt_with(database, clock, "mail", event, commit=False)
    assert await dealt_with(database, clock, "mail", event, commit=True)


async def test_of_two_at_once_one_is_the_first(database: Database, clock: FixedClock) -> None:
    event = uuid7()

    found = await asyncio.gather(*(dealt_with(database, clock, "mail", event, commit=True) for _ in range(2)))

    assert sorted(found) == [False, True]


async def test_what_was_dealt_with_is_forgotten_after_thirty_days(database: Database, clock: FixedClock) -> None:
    platform = Platform(None, clock=clock)
    platform.database = database
    event = uuid7()
    await dealt_with(database, clock, "mail", event, commit=True)
    clock.advance(timedelta(days=29))
    early = await clean_up(platform)
    clock.advance(timedelta(days=2))

    late = await clean_up(platform)

    assert (early["consumed_events"], late["consumed_events"]) == (0, 1)
