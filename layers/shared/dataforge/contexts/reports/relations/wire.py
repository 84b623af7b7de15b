"""Wire models of relations, and values of their arguments."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from dataforge.contexts.datasets.contract import ReportColumnType
from dataforge.contexts.reports.relations.domain import ArgumentsRefused, ParameterType, RelationParameter
from dataforge.contexts.reports.tabular import Kind
from dataforge.http.wire import Instant, TimeZone, WrittenOut
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message

COLUMN_TYPES: Mapping[Kind, ReportColumnType] = {
    Kind.TEXT: ReportColumnType.STRING,
    Kind.COUNT: ReportColumnType.INT64,
    Kind.NUMBER: ReportColumnType.DOUBLE,
    Kind.FLAG: ReportColumnType.BOOL,
    Kind.TIME: ReportColumnType.TIMESTAMP,
    Kind.DATE: ReportColumnType.DATE32,
}


class RelationParameterOut(BaseModel):
    """A parameter: `FROM reports.name(parameter => 'value')`; `choices` where only these are taken."""

    name: str
    parameter_type: ParameterType
    description: str
    required: bool
    choices: list[str]


class RelationColumnOut(BaseModel):
    """A column and its type, named as in answers to statements."""

    name: str
    type: ReportColumnType


class RelationOut(BaseModel):
    """A report as a relation: `name` is what follows FROM."""

    name: str
    description: str
    parameters: list[RelationParameterOut]
    columns: list[RelationColumnOut]


class RelationsOut(BaseModel):
    """Relations that statements of POST /api/sql may read beside datasets."""

    items: list[RelationOut]


@cache
def _adapters() -> Mapping[ParameterType, TypeAdapter[Any]]:
    return {
        ParameterType.UUID: TypeAdapter(UUID),
        ParameterType.INSTANT: TypeAdapter(Instant),
        ParameterType.DATE: TypeAdapter(Annotated[date, WrittenOut]),
        ParameterType.DAYS: TypeAdapter(Annotated[int, Field(ge=1, le=365)]),
        ParameterType.FLAG: TypeAdapter(bool),
        ParameterType.TIME_ZONE: TypeAdapter(TimeZone),
    }


def argument_values(relation: str, parameters: Sequence[RelationParameter], given: Mapping[str, str]) -> dict[str, Any]:
    """Arguments in the types of their parameters; raises ArgumentsRefused."""
    found: dict[str, Any] = {}
    for parameter in parameters:
        value = given.get(parameter.name)
        if value is None:
            continue
        found[parameter.name] = _value(relation, parameter, value)
    return found


def _value(relation: str, parameter: RelationParameter, value: str) -> Any:  # noqa: ANN401 - of the parameter's type
    if parameter.choices:
        if value in parameter.choices:
            return value
        message = Text(
            "{name} of {relation} is one of {choices}, not {value!r}.",
            name=parameter.name,
            relation=relation,
            choices=", ".join(parameter.choices),
            value=value[:100],
        )
        raise ArgumentsRefused(message)
    try:
        return _adapters()[parameter.parameter_type].validate_strings(value)
    except ValidationError as error:
        message = Text(
            "{name} of {relation} {reason}.",
            name=parameter.name,
            relation=relation,
            reason=plain_message(error.errors(include_url=False, include_input=False)[0]),
        )
        raise ArgumentsRefused(message) from error
