"""What runs flows: with an `httpx.Client`, or with an `httpx.AsyncClient`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from dataforge_client.errors import Unreachable
from dataforge_client.flows import Effect, Fetch, Flow, Pages, Pause, Reply, Send, Together

T = TypeVar("T")

_CHUNK = 1024 * 1024


class Interrupted(Unreachable):
    """A request whose outcome is not known: it may have been carried out."""


def _reply(response: httpx.Response, content: bytes) -> Reply:
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)


def _length(response: httpx.Response) -> int | None:
    # Of the bytes as they travel; packed ones are fewer than what is written.
    if "content-encoding" in response.headers:
        return None
    length = response.headers.get("content-length", "")
    return int(length) if length.isdigit() else None


def _unreachable(error: httpx.HTTPError, url: str) -> Unreachable:
    host = httpx.URL(url).host
    message = f"{host} does not answer: {str(error) or type(error).__name__}"
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return Unreachable(message) if never_sent else Interrupted(message)


class SyncDriver:
    """Runs flows in the calling thread."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end; returns or raises what it does."""
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                effect = flow.send(value) if error is None else flow.throw(error)
            except StopIteration as end:
                result: T = end.value
                return result
            value = error = None
            try:
                value = self._do(effect)
            except BaseException as failure:  # noqa: BLE001 - raised again in the flow, which may clean up
                error = failure

    def items(self, pages: Pages[T]) -> Iterator[T]:
        """The items of a list."""
        following = pages
        while following is not None:
            page = self.run(following())
            yield from page.items
            if page.following is None:
                return
            following = page.following

    def _do(self, effect: Effect) -> object:
        match effect:
            case Send():
                return self._send(effect)
            case Fetch():
                return self._fetch(effect)
            case Pause():
                time.sleep(effect.seconds)
                return None
            case Together():
                return self._together(effect)
            case _:
                return effect.function()

    def _send(self, effect: Send) -> Reply:
        try:
            response = self.http.request(effect.method, effect.url, headers=effect.headers, content=effect.content)
        except httpx.HTTPError as error:
            raise _unreachable(error, effect.url) from error
        return _reply(response, response.content)

    def _fetch(self, effect: Fetch) -> Reply:
        try:
            with self.http.stream("GET", effect.url, headers=effect.headers) as response:
                if response.status_code != httpx.codes.OK:
                    return _reply(response, response.read())
                total = _length(response)
                for chunk in response.iter_bytes(_CHUNK):
                    effect.sink.write(chunk)
                    if effect.arrived is not None:
                        effect.arrived(len(chunk), total)
                return _reply(response, b"")
        except httpx.HTTPError as error:
            raise _unreachable(error, effect.url) from error

    def _together(self, effect: Together) -> list[Any]:
        with ThreadPoolExecutor(max_workers=effect.at_once) as threads:
            running = [threads.submit(self.run, flow) for flow in effect.flows]
            try:
                return [each.result() for each in running]
            except BaseException:
                for each in running:
                    each.cancel()
                raise


class AsyncDriver:
    """Runs flows in an event loop; slow functions in a thread."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end; returns or raises what it does."""
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                effect = flow.send(value) if error is None else flow.throw(error)
            except StopIteration as end:
                result: T = end.value
                return result
            value = error = None
            try:
                value = await self._do(effect)
            except BaseException as failure:  # noqa: BLE001 - raised again in the flow, which may clean up
                error = failure

    async def items(self, pages: Pages[T]) -> AsyncIterator[T]:
        """The items of a list."""
        following = pages
        while following is not None:
            page = await self.run(following())
            for item in page.items:
                yield item
            if page.following is None:
                return
            following = page.following

    async def _do(self, effect: Effect) -> object:
        match effect:
            case Send():
                return await self._send(effect)
            case Fetch():
                return await self._fetch(effect)
            case Pause():
                await asyncio.sleep(effect.seconds)
                return None
            case Together():
                return await self._together(effect)
            case _:
                return await asyncio.to_thread(effect.function)

    async def _send(self, effect: Send) -> Reply:
        try:
            response = await self.http.request(
                effect.method, effect.url, headers=effect.headers, content=effect.content
            )
        except httpx.HTTPError as error:
            raise _unreachable(error, effect.url) from error
        return _reply(response, response.content)

    async def _fetch(self, effect: Fetch) -> Reply:
        try:
            async with self.http.stream("GET", effect.url, headers=effect.headers) as response:
                if response.status_code != httpx.codes.OK:
                    return _reply(response, await response.aread())
                total = _length(response)
                async for chunk in response.aiter_bytes(_CHUNK):
                    await asyncio.to_thread(effect.sink.write, chunk)
                    if effect.arrived is not None:
                        effect.arrived(len(chunk), total)
                return _reply(response, b"")
        except httpx.HTTPError as error:
            raise _unreachable(error, effect.url) from error

    async def _together(self, effect: Together) -> list[Any]:
        room = asyncio.Semaphore(effect.at_once)

        async def one(flow: Flow[Any]) -> object:
            async with room:
                return await self.run(flow)

        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(one(flow)) for flow in effect.flows]
        except BaseExceptionGroup as several:
            # The first has stopped the others; whoever calls awaits what a single flow raises.
            raise several.exceptions[0] from several
        return [each.result() for each in running]
