"""Lambda handlers of functions that are invoked by a queue, a schedule or an operator."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from dataforge.events.commands import dispatch
from dataforge.platform.cold_start import uncollected
from dataforge.platform.loop import own_event_loop
from dataforge.platform.module import Consumer, Module
from dataforge.platform.services import Platform, Services

Handler = Callable[[Any, Any], Any]
Modules = tuple[Module[Services], ...]


async def run_command(
    modules: Modules, function: str, parts: Platform, event: Mapping[str, Any], default: str = ""
) -> dict[str, Any]:
    """Run a command of the function: the platform's or a context's."""
    from dataforge.events.wiring import commands  # brings the database along, which no message waits for

    return await dispatch(event, commands(modules, function, parts), default=default)


def event_handler(modules: Modules, function: str, parts: Platform, default: str = "") -> Handler:
    """The handler of a function that takes commands and, where a context consumes its queue, messages.

    An event without a command runs `default` where there is no queue. What consumes messages is imported with the
    first one.
    """
    module = next((module for module in modules if function in module.consumers), None)
    loop = own_event_loop()

    @cache  # of the one module: modules cannot be hashed
    def consumer() -> Consumer[Any]:
        assert module is not None  # noqa: S101 - asked for messages only
        with uncollected():
            return module.consumers[function]()

    async def consume(module: Module[Services], event: Mapping[str, Any]) -> dict[str, Any]:
        return await consumer()(event, parts.get(module.services))

    def handler(event: Any, _context: Any) -> Any:  # noqa: ANN401 - Lambda's signature
        if module is None or "command" in event:
            return loop.run_until_complete(run_command(modules, function, parts, event, default))
        return loop.run_until_complete(consume(module, event))

    return handler


def worker_handler(modules: Modules, parts: Platform) -> Handler:
    """The handler of `worker`: messages about jobs of the kinds that contexts name, and commands."""
    loop = own_event_loop()

    async def answer(event: Mapping[str, Any]) -> dict[str, Any]:
        if "command" in event:
            return await run_command(modules, "worker", parts, event)
        from dataforge.events.worker import job_messages  # with the first message, as above

        return await job_messages(event, modules, parts)

    def handler(event: Any, _context: Any) -> Any:  # noqa: ANN401 - Lambda's signature
        return loop.run_until_complete(answer(event))

    return handler
