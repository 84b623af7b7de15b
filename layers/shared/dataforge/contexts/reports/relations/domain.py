"""What a relation may be given, and how what is given is understood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from dataforge.kernel.errors import BadRequest, NotFound
from dataforge.kernel.texts import Text

SCHEMA = "reports"


class RelationMissing(NotFound):
    """There is no relation of this name in the schema `reports`."""

    code = "relation_not_found"
    title = "There is no such relation"


class ArgumentsRefused(BadRequest):
    """A relation is given what it does not take, something of another type, or not what it needs."""

    code = "arguments_refused"
    status = 422
    title = "The relation cannot be read with these arguments"


class ParameterType(StrEnum):
    """What an argument is; it is written as a text, such as `'2026-03-01'`, numbers and flags also without quotes."""

    UUID = "uuid"
    INSTANT = "instant"
    DATE = "date"
    DAYS = "integer"
    FLAG = "boolean"
    CHOICE = "choice"
    TIME_ZONE = "time_zone"


@dataclass(frozen=True, slots=True)
class RelationParameter:
    """A parameter of a relation; without `required` it may be left out."""

    name: str
    parameter_type: ParameterType
    description: str
    required: bool = False
    choices: tuple[str, ...] = ()


def matched_arguments(
    relation: str, parameters: Sequence[RelationParameter], given: Sequence[tuple[str | None, str | None]]
) -> dict[str, str]:
    """Values by parameter: those without a name by their place; NULL is as if it were not given.

    Raises ArgumentsRefused.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    found: dict[str, str | None] = {}
    for place, (written, value) in enumerate(given):
        if written is None and place >= len(parameters):
            message = Text("{relation} takes {shown}.", relation=relation, shown=_shown(parameters))
            raise ArgumentsRefused(message)
        name = parameters[place].name if written is None else written.lower()
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1)
            message = Text(
                "{relation} has no parameter {name!r}; it takes {shown}.",
                relation=relation,
                name=written,
                shown=_shown(parameters),
            )
            if near:
                message = Text(
                    '{relation} has no parameter {name!r}; did you mean "{near}"?',
                    relation=relation,
                    name=written,
                    near=near[0],
                )
            raise ArgumentsRefused(message)
        if name in found:
            message = Text("{relation} is given {name} twice.", relation=relation, name=name)
            raise ArgumentsRefused(message)
        found[name] = value
    for parameter in parameters:
        if parameter.required and found.get(parameter.name) is None:
            message = Text(
                "{relation} needs {name}: {relation}({name} => '…').", relation=relation, name=parameter.name
            )
            raise ArgumentsRefused(message)
    return {name: value for name, value in found.items() if value is not None}


def _shown(parameters: Sequence[RelationParameter]) -> str:
    return ", ".join(parameter.name for parameter in parameters)


def missing_relation(name: str, names: Sequence[str]) -> RelationMissing:
    """The refusal of a name that no relation has, with the one that is meant or with all."""
    near = get_close_matches(name.lower(), names, n=1)
    if near:
        message = Text(
            'There is no relation {name!r} among reports; did you mean "{near}"?',
            name=f"{SCHEMA}.{name}",
            near=f"{SCHEMA}.{near[0]}",
        )
    else:
        message = Text(
            "There is no relation {name!r} among reports; there are {names}.",
            name=f"{SCHEMA}.{name}",
            names=", ".join(f"{SCHEMA}.{item}" for item in names),
        )
    return RelationMissing(message)


Values = Mapping[str, Any]
"""Arguments of a relation by parameter, each of its type."""
