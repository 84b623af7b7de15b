"""The outbox relay."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from dataforge.kernel.clock import FixedClock
from dataforge.kernel.events import Event
from dataforge.platform.db.database import Database
from dataforge.platform.db.outbox import MAX_ATTEMPTS, relay
from dataforge.platform.db.tables import outbox
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


@dataclass(frozen=True, slots=True)
class ThingHappened(Event):
    name = "thing.happened"
    about = "thing"

    thing: str


class Recorder:
    def __init__(self, failures: int = 0) -> None:
        self.seen: list[str] = []
        self.failures = failures

    async def __call__(self, event: ThingHappened) -> None:
        if self.failures:
            self.failures -= 1
            message = "the mail server is away"
            raise ConnectionError(message)
        self.seen.append(event.thing)


async def publish(database: Database, clock: FixedClock, *keys: str, commit: bool = True) -> None:
    async with SqlUnitOfWork(database, clock=clock) as uow:
        for key in keys:
            uow.publish(ThingHappened(key))
        if commit:
            await uow.commit()
        else:
            await uow.flush()


async def test_events_reach_their_subscriber_once_and_in_order(database: Database, clock: FixedClock) -> None:
    recorder = Recorder()
    await publish(database, clock, "a", "b", "c")

    first = await relay(database, {ThingHappened: [recorder]}, clock=clock)
    second = await relay(database, {ThingHappened: [recorder]}, clock=clock)

    assert recorder.seen == ["a", "b", "c"]
    assert (first["relayed"], second["relayed"]) == (3, 0)


async def test_an_event_of_work_that_was_not_committed_does_not_exist(database: Database, clock: FixedClock) -> None:
    recorder = Recorder()
    await publish(database, clock, "a", commit=False)

    await relay(database, {ThingHappened: [recorder]}, clock=clock)

    assert recorder.seen == []


async def test_a_failing_event_is_tried_again_later_and_does_not_stop_others(
    database: Database, clock: FixedClock
) -> None:
    recorder = Recorder(failures=1)
    await publish(database, clock, "a", "b")

    counts = await relay(database, {ThingHappened: [recorder]}, clock=clock)
    at_once = await relay(database, {ThingHappened: [recorder]}, clock=clock)
    clock.advance(timedelta(seconds=3))
    later = await relay(database, {ThingHappened: [recorder]}, clock=clock)

    assert (counts["relayed"], counts["failed"]) == (1, 1)
    assert at_once["relayed"] == 0
    assert later["relayed"] == 1
    assert recorder.seen == ["b", "a"]


async def test_an_event_that_always_fails_is_set_aside_with_its_error(database: Database, clock: FixedClock) -> None:
    recorder = Recorder(failures=1000)
    await publish(database, clock, "a")

    for _ in range(MAX_ATTEMPTS + 2):
        await relay(database, {ThingHappened: [recorder]}, clock=clock)
        clock.advance(timedelta(days=1))

    async with database.read_only() as connection:
        row = (await connection.execute(select(outbox))).one()
    assert (row.attempts, row.dead_at is not None) == (MAX_ATTEMPTS, True)
    assert row.last_error == "ConnectionError: the mail server is away"


async def test_two_relays_at_once_share_the_work(database: Database, clock: FixedClock) -> None:
    recorder = Recorder()
    await publish(database, clock, *(str(number) for number in range(40)))

    await asyncio.gather(*(relay(database, {ThingHappened: [recorder]}, clock=clock) for _ in range(3)))

    assert sorted(recorder.seen, key=int) == [str(number) for number in range(40)]
