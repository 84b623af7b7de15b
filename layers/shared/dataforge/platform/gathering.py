"""Work that is done for many callers at once: what comes while a round is under way is done together in the next.

A caller that comes alone waits for nobody, so that a function with one request at a time pays nothing for it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gathering(Generic[Item, Result]):
    """Rounds of `work`, which gives a result or an exception for each item, in their order.

    A round has at most `most` items, and a `weight` of at most `heaviest` together unless it is a single one. If `work`
    raises, all callers of its round get that. A caller that is cancelled leaves the round to the others.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        most: int,
        heaviest: int | None = None,
        weight: Callable[[Item], int] = lambda _: 1,
    ) -> None:
        self._work = work
        self._most = most
        self._heaviest = heaviest if heaviest is not None else most
        self._weight = weight
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._rounds: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """The result for the item; raises what `work` has for it."""
        loop = asyncio.get_running_loop()
        if self._rounds is not None and self._rounds.get_loop() is not loop:
            # A function that was stopped in the middle: nobody waits any more for what was begun then.
            self._rounds = None
            self._waiting.clear()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if self._rounds is None or self._rounds.done():
            self._rounds = loop.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            taken = self._take()
            try:
                results = await self._work([item for item, _ in taken])
            except Exception as error:  # noqa: BLE001 - it is the callers'
                results = [error] * len(taken)
            for (_, future), result in zip(taken, results, strict=True):
                if future.done():
                    continue  # its caller went away
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        taken = [self._waiting.popleft()]
        weight = self._weight(taken[0][0])
        while self._waiting and len(taken) < self._most:
            weight += self._weight(self._waiting[0][0])
            if weight > self._heaviest:
                break
            taken.append(self._waiting.popleft())
        return taken
