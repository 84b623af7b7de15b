"""Types of fields that requests of several nouns have."""

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, BeforeValidator, Field

from dataforge.contexts.workspaces.names import MAX_NAME, MAX_PATH, name_mistake, path_mistake
from dataforge.kernel.text import composed_if_text
from dataforge.kernel.texts import Text

MAX_JSON_BYTES = 16_384


def refusing(mistake: Callable[[str], str | None]) -> Callable[[str], str]:
    """A validator that refuses with what `mistake` says is wrong."""

    def validate(value: str) -> str:
        found = mistake(value)
        if found is not None:
            raise ValueError(found)
        return value

    return validate


def at_most(limit: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A validator of objects of at most so many bytes of JSON."""

    def validate(value: dict[str, Any]) -> dict[str, Any]:
        try:
            size = len(orjson.dumps(value))
        except orjson.JSONEncodeError as error:
            message = Text("is nested too deeply or has a number that is too large")
            raise ValueError(message) from error
        if size > limit:
            message = Text("must be at most {limit:,} bytes of JSON", limit=limit)
            raise ValueError(message)
        return value

    return validate


Composed = BeforeValidator(composed_if_text)
# Composed first, as what is last here: before the length is looked at, which is then that of a string.
ItemName = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, examples=["handbook"]),
    AfterValidator(refusing(name_mistake)),
    Composed,
]
ItemPath = Annotated[
    str,
    Field(min_length=1, max_length=MAX_PATH, examples=["notes/handbook"]),
    AfterValidator(refusing(path_mistake)),
    Composed,
]
Title = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["Acme onboarding"]),
    Composed,
]
Description = Annotated[str, Field(max_length=2_000)]
SmallObject = Annotated[
    dict[str, Any],
    Field(description=f"an object of at most {MAX_JSON_BYTES:,} bytes of JSON", examples=[{"colour": "green"}]),
    AfterValidator(at_most(MAX_JSON_BYTES)),
]
