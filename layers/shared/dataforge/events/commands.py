"""Invocations that name a command: `{"command": "create_admin", …}` from an operator, or `{}` from the scheduler."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dataforge.kernel.errors import BadRequest, DataForgeError
from dataforge.platform.observability import logger

Command = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


async def dispatch(event: Mapping[str, Any], commands: Mapping[str, Command], *, default: str) -> dict[str, Any]:
    """Run the command an event names; a refusal comes back as `{"error": {code, detail}}`, anything else raises.

    Arguments are never logged.
    """
    name = str(event.get("command") or default)
    try:
        if name not in commands:
            message = f"There is no command {name!r}. Known: {', '.join(sorted(commands))}."
            raise BadRequest(message)
        answer = dict(await commands[name]({key: value for key, value in event.items() if key != "command"}))
    except DataForgeError as error:
        logger.warning("command refused", command=name, code=error.code)
        return {"error": {"code": error.code, "detail": error.detail}}
    logger.info("command", command=name)
    return answer
