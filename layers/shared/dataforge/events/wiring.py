"""What the modules of all contexts come to: the commands, jobs and subscribers of one function."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from dataforge.events.commands import Command
from dataforge.events.jobs import clean_up, queue_lost_jobs, relay_outbox, tick
from dataforge.kernel.events import Event
from dataforge.platform.db.outbox import Subscriber
from dataforge.platform.module import Module
from dataforge.platform.services import Platform, Services

Modules = Sequence[Module[Services]]


def commands(modules: Modules, function: str, parts: Platform) -> Mapping[str, Command]:
    """The commands of a function by name: the platform's and those of the contexts."""
    by_name: dict[str, Command] = {"health": lambda _arguments: parts.health()}
    if function == "maintenance":
        from dataforge.events.redrive import redrive_queue

        by_name["tick"] = lambda _arguments: tick(jobs(modules, parts))
        by_name["redrive"] = lambda arguments: redrive_queue(arguments, parts.settings)
    if function == "schema_deployer":
        from dataforge.platform.deployer import migrate

        by_name["migrate"] = lambda _arguments: migrate(parts)
    for module in modules:
        given = module.commands[function]() if function in module.commands else {}
        by_name |= {name: partial(_with, command, parts.get(module.services)) for name, command in given.items()}
    return by_name


def jobs(modules: Modules, parts: Platform) -> dict[str, Callable[[], Awaitable[Mapping[str, Any]]]]:
    """What one tick does, in this order; one that fails does not stop the others."""
    by_name: dict[str, Callable[[], Awaitable[Mapping[str, Any]]]] = {
        "outbox": lambda: relay_outbox(parts, subscribers(modules, parts)),
        "cleanup": lambda: clean_up(parts),
        "jobs": lambda: queue_lost_jobs(parts),
    }
    for module in modules:
        by_name |= {name: partial(job, parts.get(module.services)) for name, job in module.jobs().items()}
    return by_name


def subscribers(modules: Modules, parts: Platform) -> Mapping[type[Event], Sequence[Subscriber]]:
    """Who hears of which event."""
    by_event: dict[type[Event], list[Subscriber]] = {}
    for module in modules:
        for kind, hearers in module.subscribers().items():
            by_event.setdefault(kind, []).extend(partial(_with, hear, parts.get(module.services)) for hear in hearers)
    return by_event


async def _with(call: Callable[[Any, Any], Awaitable[Any]], services: Services, given: Any) -> Any:  # noqa: ANN401 - passed through
    return await call(given, services)
