"""Invocations that name a command: `{"command": "create_admin", …}` from an operator, or `{}` from the scheduler."""

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any

from dataforge.kernel.errors import BadRequest, DataForgeError
from dataforge.platform.observability import logger

Command = Callable[[Mapping[str, Any], Any], Awaitable[Mapping[str, Any]]]


def resolve(path: str) -> Any:  # noqa: ANN401 - whatever the path names
    """The object a `module:name` path names, imported now."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


async def dispatch(
    event: Mapping[str, Any], commands: Mapping[str, str], services: object, *, default: str
) -> dict[str, Any]:
    """Run the command an event names; a refusal comes back as `{"error": {code, detail}}`, anything else raises.

    `commands` maps names to `module:function` paths, imported when used. Arguments are never logged.
    """
    name = str(event.get("command") or default)
    try:
        if name not in commands:
            message = f"There is no command {name!r}. Known: {', '.join(sorted(commands))}."
            raise BadRequest(message)
        arguments = {key: value for key, value in event.items() if key != "command"}
        command: Command = resolve(commands[name])
        answer = dict(await command(arguments, services))
    except DataForgeError as error:
        logger.warning("command refused", command=name, code=error.code)
        return {"error": {"code": error.code, "detail": error.detail}}
    logger.info("command", command=name)
    return answer
