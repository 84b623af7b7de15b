"""Lambda handlers of functions that are invoked by a queue, a schedule or an operator."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dataforge.events.commands import dispatch
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

    An event without a command runs `default` where there is no queue.
    """
    module = next((module for module in modules if function in module.consumers), None)
    consume = None if module is None else partial(_consume, module.consumers[function](), parts.get(module.services))
    loop = own_event_loop()

    def handler(event: Any, _context: Any) -> Any:  # noqa: ANN401 - Lambda's signature
        if consume is None or "command" in event:
            return loop.run_until_complete(run_command(modules, function, parts, event, default))
        return loop.run_until_complete(consume(event))

    return handler


async def _consume(consumer: Consumer[Services], services: Services, event: Mapping[str, Any]) -> dict[str, Any]:
    return await consumer(event, services)
