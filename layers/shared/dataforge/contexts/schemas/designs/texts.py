"""A target as people write it: read from its text, and what is wrong with it beside the lines where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dataforge.contexts.schemas.designs.domain.document import InvalidTarget
from dataforge.contexts.schemas.designs.domain.positions import Lines
from dataforge.http.encoding import parse_json
from dataforge.kernel.errors import DataForgeError, MalformedBody, sentence
from dataforge.kernel.texts import Text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the line counted from 1 and its text, as far as it has a place."""

    message: str
    pointer: str = ""
    line: int | None = None
    text: str = ""


def read_target(text: str) -> dict[str, Any]:
    """The document in a text; raises InvalidTarget, whose facts may have the `line` it ends at."""
    try:
        found = parse_json(text.encode())
    except MalformedBody as error:
        cause = error.__cause__
        if not isinstance(cause, orjson.JSONDecodeError):
            raise InvalidTarget(error.detail) from error
        reason = cause.msg.partition(":")[0]
        message = Text(
            "The text is not valid JSON at line {lineno}, column {colno}: {reason}.",
            lineno=cause.lineno,
            colno=cause.colno,
            reason=reason,
        )
        raise InvalidTarget(message, facts={"line": cause.lineno}) from error
    if not isinstance(found, dict):
        message = Text('A target is a JSON object, such as {"tables": []}.')
        raise InvalidTarget(message, facts={"line": 1})
    return found


def write_target(target: Mapping[str, Any]) -> str:
    """The text of a document, as it is edited."""
    return orjson.dumps(target, option=orjson.OPT_INDENT_2).decode()


def problems_of(error: DataForgeError, text: str) -> list[Problem]:
    """What an error says about a text, each with its line."""
    lines = Lines(text)
    if not error.violations:
        at = error.facts.get("line")
        return [
            Problem(error.detail, line=at, text=lines.text_of(at)) if isinstance(at, int) else Problem(error.detail)
        ]
    found = []
    for item in error.violations:
        line = lines.line_of(item.pointer) if item.pointer else None
        message = sentence(f"{item.message[:1].upper()}{item.message[1:]}")
        found.append(Problem(message, item.pointer, line, "" if line is None else lines.text_of(line)))
    return found
