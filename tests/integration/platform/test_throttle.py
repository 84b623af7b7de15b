"""Budgets of tries."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from dataforge.events.jobs import clean_up
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.throttling import Budget, caller_of
from dataforge.platform.db.database import Database
from dataforge.platform.db.throttle import Throttle
from tests.builders.api import ApiUnderTest

BUDGET = Budget("guess", ("192.0.2.1",), 5)


class Counter:
    """Takes and settles in transactions of their own, as requests do."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock

    async def take(self, *budgets: Budget) -> int | None:
        async with self.database.connect() as connection:
            wait = await Throttle(connection, self.clock.now()).take(budgets)
            if wait is None:
                await connection.commit()
            return wait

    async def spend(self, *budgets: Budget) -> int | None:
        async with self.database.connect() as connection:
            wait = await Throttle(connection, self.clock.now()).spend(budgets)
            if wait is None:
                await connection.commit()
            return wait

    async def close(self, *budgets: Budget, failed: bool) -> None:
        async with self.database.transaction() as connection:
            await Throttle(connection, self.clock.now()).close(budgets, failed=failed)

    async def fail(self, *budgets: Budget) -> int | None:
        wait = await self.take(*budgets)
        if wait is None:
            await self.close(*budgets, failed=True)
        return wait


@pytest.fixture
def counter(database: Database, clock: FixedClock) -> Counter:
    return Counter(database, clock)


async def test_failures_use_the_budget_up_until_the_minute_that_began_with_the_first_is_over(
    counter: Counter, clock: FixedClock
) -> None:
    assert [await counter.fail(BUDGET) for _ in range(5)] == [None] * 5
    clock.advance(timedelta(seconds=20, milliseconds=500))
    assert await counter.fail(BUDGET) == 40

    clock.advance(timedelta(seconds=39))
    assert await counter.fail(BUDGET) == 1
    clock.advance(timedelta(seconds=1))
    assert [await counter.fail(BUDGET) for _ in range(6)] == [None] * 5 + [60]


async def test_successes_cost_nothing(counter: Counter) -> None:
    for _ in range(20):
        assert await counter.take(BUDGET) is None
        await counter.close(BUDGET, failed=False)

    assert [await counter.fail(BUDGET) for _ in range(6)] == [None] * 5 + [60]


async def test_tries_at_the_same_time_are_counted_one_by_one(counter: Counter) -> None:
    answers = await asyncio.gather(*(counter.take(BUDGET) for _ in range(40)))

    # What is under way may still succeed: come back in a second, not in a minute.
    assert sorted(answers, key=str) == [1] * 35 + [None] * 5


async def test_of_two_budgets_none_is_touched_when_one_is_empty(counter: Counter) -> None:
    wide, narrow = Budget("guess", ("192.0.2.2",), 10), Budget("guess", ("192.0.2.2", "ada"), 2)
    assert [await counter.fail(wide, narrow) for _ in range(30)] == [None] * 2 + [60] * 28

    assert [await counter.fail(wide) for _ in range(9)] == [None] * 8 + [60]


async def test_two_callers_of_the_same_budgets_never_wait_in_a_circle(counter: Counter) -> None:
    one, two = Budget("a", ("x",), 1000), Budget("b", ("x",), 1000)

    answers = await asyncio.gather(*(counter.fail(*pair) for _ in range(20) for pair in ((one, two), (two, one))))

    assert set(answers) == {None}


async def test_what_was_taken_by_somebody_who_died_is_given_back_with_the_window(
    counter: Counter, clock: FixedClock
) -> None:
    for _ in range(5):
        await counter.take(BUDGET)
    assert await counter.take(BUDGET) == 1

    clock.advance(timedelta(minutes=1))
    assert [await counter.fail(BUDGET) for _ in range(6)] == [None] * 5 + [60]


async def test_a_try_that_is_settled_after_its_window_counts_in_the_next(counter: Counter, clock: FixedClock) -> None:
    await counter.take(BUDGET)
    clock.advance(timedelta(minutes=2))

    await counter.close(BUDGET, failed=True)

    assert [await counter.fail(BUDGET) for _ in range(5)] == [None] * 4 + [60]


async def test_what_is_spent_is_never_given_back(counter: Counter) -> None:
    answers = await asyncio.gather(*(counter.spend(BUDGET) for _ in range(20)))

    assert sorted(answers, key=str) == [60] * 15 + [None] * 5


async def test_one_subject_does_not_pay_for_another(counter: Counter) -> None:
    for _ in range(6):
        await counter.fail(BUDGET)

    assert await counter.fail(Budget("guess", ("192.0.2.2",), 5)) is None
    assert await counter.fail(Budget("other", BUDGET.subject, 5)) is None


async def test_maintenance_forgets_windows_that_are_over(
    api: ApiUnderTest, counter: Counter, clock: FixedClock, database: Database
) -> None:
    await counter.fail(BUDGET)
    clock.advance(timedelta(minutes=1, seconds=1))
    await counter.fail(Budget("guess", ("192.0.2.2",), 5))

    assert (await clean_up(api.platform))["throttles"] == 1
    async with database.read_only() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM platform.throttles")) == 1


async def test_no_address_is_stored(counter: Counter, database: Database) -> None:
    await counter.fail(BUDGET)

    async with database.read_only() as connection:
        assert "192.0.2.1" not in str((await connection.execute(text("SELECT * FROM platform.throttles"))).all())


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("test-invoke-source-ip", "unknown"),
        ("192.0.2.7, 198.51.100.1", "unknown"),
    ],
)
def test_an_address_stands_for_one_caller(address: str | None, caller: str) -> None:
    assert caller_of(address) == caller
