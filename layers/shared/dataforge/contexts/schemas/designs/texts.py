"""A target as people write it: read from its text, and what is wrong with it beside the lines where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dataforge.contexts.schemas.designs.domain.positions import Lines
from dataforge.http.encoding import parse_json
from dataforge.kernel.errors import DataForgeError, MalformedBody, ValidationFailed


class TargetUnreadable(ValidationFailed):
    """The text of a target is no JSON object; `line` is where it ends to be one."""

    code = "invalid_target"
    title = "The target cannot be read"

    def __init__(self, detail: str, line: int | None = None) -> None:
        super().__init__(detail)
        self.line = line


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the line counted from 1 and its text, as far as it has a place."""

    message: str
    pointer: str = ""
    line: int | None = None
    text: str = ""


def read_target(text: str) -> dict[str, Any]:
    """The document in a text; raises TargetUnreadable."""
    try:
        found = parse_json(text.encode())
    except MalformedBody as error:
        cause = error.__cause__
        if not isinstance(cause, orjson.JSONDecodeError):
            raise TargetUnreadable(error.detail) from error
        reason = cause.msg.partition(":")[0]
        message = f"The text is not valid JSON at line {cause.lineno}, column {cause.colno}: {reason}."
        raise TargetUnreadable(message, cause.lineno) from error
    if not isinstance(found, dict):
        message = 'A target is a JSON object, such as {"tables": []}.'
        raise TargetUnreadable(message, 1)
    return found


def write_target(target: Mapping[str, Any]) -> str:
    """The text of a document, as it is edited."""
    return orjson.dumps(target, option=orjson.OPT_INDENT_2).decode()


def problems_of(error: DataForgeError, text: str) -> list[Problem]:
    """What an error says about a text, each with its line."""
    lines = Lines(text)
    if isinstance(error, TargetUnreadable):
        shown = "" if error.line is None else lines.text_of(error.line)
        return [Problem(error.detail, line=error.line, text=shown)]
    if not error.violations:
        return [Problem(error.detail)]
    found = []
    for item in error.violations:
        line = lines.line_of(item.pointer) if item.pointer else None
        message = f"{item.message[:1].upper()}{item.message[1:]}".removesuffix(".") + "."
        found.append(Problem(message, item.pointer, line, "" if line is None else lines.text_of(line)))
    return found
