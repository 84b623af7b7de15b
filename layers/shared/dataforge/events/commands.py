"""Invocations that name a command: `{"command": "create_admin", …}` from an operator, or `{}` from the scheduler."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from dataforge.kernel.errors import BadRequest, DataForgeError, ValidationFailed, Violation
from dataforge.kernel.texts import Text
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")
Command = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


async def dispatch(event: Mapping[str, Any], commands: Mapping[str, Command], *, default: str) -> dict[str, Any]:
    """Run the command an event names; a refusal comes back as `{"error": {code, detail}}`, anything else raises.

    Arguments are never logged.
    """
    name = str(event.get("command") or default)
    try:
        if name not in commands:
            message = Text(
                "There is no command {name!r}. Known: {commands}.", name=name, commands=", ".join(sorted(commands))
            )
            raise BadRequest(message)
        answer = dict(await commands[name]({key: value for key, value in event.items() if key != "command"}))
    except DataForgeError as error:
        logger.warning("command refused", command=name, code=error.code)
        return {"error": {"code": error.code, "detail": error.detail}}
    logger.info("command", command=name)
    return answer


def parse_arguments(model: type[Model], arguments: Mapping[str, Any]) -> Model:
    """The arguments of a command as a model; raises ValidationFailed with a pointer to each that is wrong."""
    from pydantic import ValidationError

    from dataforge.kernel.validation import plain_message

    try:
        return model.model_validate(dict(arguments))
    except ValidationError as error:
        violations = [
            Violation("/" + "/".join(map(str, item["loc"])), plain_message(item), item["type"])
            for item in error.errors()
        ]
        places = "; ".join(f"{item.pointer}: {item.message}" for item in violations)
        message = Text("Correct the command's arguments. {places}.", places=places)
        raise ValidationFailed(message, violations=violations) from error
