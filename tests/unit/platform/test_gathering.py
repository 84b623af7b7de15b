"""Work done for many callers at once."""

import asyncio
from collections.abc import Sequence

import pytest

from dataforge.platform.gathering import Gathering


class Recorded:
    """Doubles numbers, one round after the other, and remembers the rounds; refuses 13 alone and 99 for all."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []

    async def work(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.rounds.append(list(numbers))
        await asyncio.sleep(0.001)
        if 99 in numbers:
            message = "99"
            raise ValueError(message)
        return [KeyError(13) if number == 13 else number * 2 for number in numbers]


async def test_who_comes_while_a_round_is_under_way_shares_the_next() -> None:
    done = Recorded()
    gathering = Gathering(done.work, most=10)

    results = await asyncio.gather(*(gathering.do(number) for number in range(5)))
    alone = await gathering.do(7)

    assert (results, alone) == ([0, 2, 4, 6, 8], 14)
    assert [number for numbers in done.rounds for number in numbers] == [0, 1, 2, 3, 4, 7]
    assert done.rounds[-1] == [7]


async def test_a_round_has_no_more_than_it_may_have() -> None:
    done = Recorded()
    by_count = Gathering(done.work, most=3)
    by_weight = Gathering(done.work, most=10, heaviest=10, weight=lambda number: number)

    await asyncio.gather(*(by_count.do(number) for number in range(8)))
    counted, done.rounds = done.rounds, []
    await asyncio.gather(*(by_weight.do(number) for number in (4, 4, 4, 50, 1)))

    assert max(map(len, counted)) == 3
    assert done.rounds == [[4, 4], [4], [50], [1]]


async def test_each_caller_gets_its_own_refusal_and_all_of_a_round_what_stopped_it() -> None:
    gathering = Gathering(Recorded().work, most=10)

    mixed = await asyncio.gather(*(gathering.do(number) for number in (1, 13, 2)), return_exceptions=True)
    stopped = await asyncio.gather(*(gathering.do(number) for number in (1, 99)), return_exceptions=True)
    afterwards = await gathering.do(3)

    assert (mixed[0], mixed[2], afterwards) == (2, 4, 6)
    assert isinstance(mixed[1], KeyError)
    assert [type(item) for item in stopped] == [ValueError, ValueError]


async def test_a_caller_that_goes_away_leaves_the_round_to_the_others() -> None:
    done = Recorded()
    gathering = Gathering(done.work, most=10)
    first = asyncio.ensure_future(gathering.do(1))
    waiting = [asyncio.ensure_future(gathering.do(number)) for number in (2, 3)]
    await asyncio.sleep(0)

    first.cancel()
    waiting[0].cancel()

    assert await waiting[1] == 6
    with pytest.raises(asyncio.CancelledError):
        await first


def test_what_was_begun_in_a_loop_that_is_gone_is_forgotten() -> None:
    done = Recorded()
    gathering = Gathering(done.work, most=10)

    async def stopped() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await gathering.do(1)

    with asyncio.Runner() as runner:
        runner.run(stopped())

    assert asyncio.run(gathering.do(2)) == 4
