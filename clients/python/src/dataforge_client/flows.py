"""One core for sync and async: operations are generators that yield what is to be done outside, and get the result.

A method that is written once as

    @operation
    def get(self, name: str) -> Flow[Dataset[M]]: ...

is `client.datasets.get("Grades")` of a `Client` and `await client.datasets.get("Grades")` of an `AsyncClient`, and has
these types: what it is bound to says which.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Concatenate, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, overload


class Sync:
    """Marks what is called without `await`."""


class Async:
    """Marks what is awaited."""


M = TypeVar("M", Sync, Async)
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """A request of which the whole answer fits in memory; the result is a `Reply`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """GET into a file; the result is a `Reply`, whose body is empty unless the status is an error or a redirect."""

    url: str
    sink: BinaryIO
    headers: Mapping[str, str] = field(default_factory=dict)
    arrived: Callable[[int, int | None], None] | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Call a function that takes the processor or the disk a while."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Together:
    """Run flows beside one another, `at_once` at most; the result is the list of theirs."""

    flows: Sequence[Flow[Any]]
    at_once: int


Effect: TypeAlias = Send | Fetch | Pause | Work | Together
Flow: TypeAlias = Generator[Effect, Any, T]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def send(request: Send) -> Flow[Reply]:
    """Send a request, as a flow with a type."""
    reply: Reply = yield request
    return reply


def fetch(request: Fetch) -> Flow[Reply]:
    """GET into a file, as a flow with a type."""
    reply: Reply = yield request
    return reply


def work(function: Callable[[], T]) -> Flow[T]:
    """Call a slow function, as a flow with a type."""
    result: T = yield Work(function)
    return result


def together(flows: Sequence[Flow[T]], *, at_once: int = 4) -> Flow[list[T]]:
    """Run flows beside one another, as a flow with a type."""
    results: list[T] = yield Together(flows, at_once)
    return results


class Driver(Protocol):
    """Does what flows yield."""

    def run(self, flow: Flow[Any]) -> Any:  # noqa: ANN401 - the result, or an awaitable of it
        """Run a flow to its end."""
        ...

    def items(self, pages: Pages[Any]) -> Any:  # noqa: ANN401 - an iterator, or an asynchronous one
        """The items of a list, page by page as they are asked for."""
        ...


class Bound(Generic[M]):
    """What has operations: bound to a driver that runs them."""

    _driver: Driver


class Page(Generic[T]):
    """A part of a list, and how to ask for the next one."""

    def __init__(self, items: Sequence[T], following: Callable[[], Flow[Page[T]]] | None) -> None:
        self.items = items
        self.following = following


Pages: TypeAlias = Callable[[], Flow[Page[T]]]


class operation(Generic[P, T]):  # noqa: N801 - used as a decorator
    """A method whose flow is run when it is called, or awaited."""

    def __init__(self, function: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self._function = function
        functools.update_wrapper(self, function)  # type: ignore[arg-type]  # sets __doc__ and the like, calls nothing

    def flow(self, instance: object, *args: P.args, **kwargs: P.kwargs) -> Flow[T]:
        """The flow itself, to be a part of another one."""
        return self._function(instance, *args, **kwargs)

    @overload
    def __get__(self, instance: None, owner: type) -> operation[P, T]: ...
    @overload
    def __get__(self, instance: Bound[Sync], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: Bound[Async], owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        """Bind to an instance: a method of its kind."""
        if instance is None:
            return self
        method = functools.partial(self._run, instance)
        return functools.update_wrapper(method, self._function)

    def _run(self, instance: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - see Driver
        return instance._driver.run(self._function(instance, *args, **kwargs))  # noqa: SLF001 - of Bound


class listing(Generic[P, T]):  # noqa: N801 - used as a decorator
    """A method that is an iterator over all items of a list; pages are asked for as they are needed."""

    def __init__(self, function: Callable[Concatenate[Any, P], Pages[T]]) -> None:
        self._function = function
        functools.update_wrapper(self, function)  # type: ignore[arg-type]  # sets __doc__ and the like, calls nothing

    @overload
    def __get__(self, instance: None, owner: type) -> listing[P, T]: ...
    @overload
    def __get__(self, instance: Bound[Sync], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, instance: Bound[Async], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        """Bind to an instance: a method of its kind."""
        if instance is None:
            return self
        method = functools.partial(self._items, instance)
        return functools.update_wrapper(method, self._function)

    def _items(self, instance: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - see Driver
        return instance._driver.items(self._function(instance, *args, **kwargs))  # noqa: SLF001 - of Bound
