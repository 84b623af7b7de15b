"""Which member of an answer is its list, and which columns that list has as CSV: both from the answer's model.

An object in a row is spread over columns with dotted names, whatever its depth; what has no members that are known
beforehand, and lists of objects, are one column with JSON in it. So the columns of a list are the same for every page,
and for a list without rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from dataforge.kernel.csv_cells import write_cell

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CsvRows:
    """Marks the member of an answer that is its list, where it is not called `items`.

    `column` names the only column of a list of plain values.
    """

    column: str = "value"


@dataclass(frozen=True, slots=True)
class Listed:
    """A list in an answer: the member that has it (None: the answer is the list), and the type of its rows."""

    member: str | None
    row_type: Any
    column: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a list, in the order of the model's members; an empty path is the row itself."""

    paths: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]

    def cells(self, row: Any, *, excel: bool) -> list[str]:  # noqa: ANN401 - any JSON value
        """The cells of one row."""
        return [write_cell(_value(row, path), excel=excel) for path in self.paths]


def listed_in(model: Any) -> Listed | None:  # noqa: ANN401 - any type a route may answer
    """The list that an answer of this type is; None for what is no list."""
    if get_origin(model) is list:
        return Listed(None, get_args(model)[0], "value")
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    lists = {
        field.serialization_alias or field.alias or name: field
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is list
    }
    for name, field in lists.items():
        for mark in field.metadata:
            if isinstance(mark, CsvRows):
                return Listed(name, get_args(field.annotation)[0], mark.column)
    return Listed("items", get_args(lists["items"].annotation)[0], "value") if "items" in lists else None


def columns_of(listed: Listed) -> Columns:
    """The columns of a list."""
    schema = TypeAdapter(listed.row_type).json_schema(mode="serialization", by_alias=True)
    paths = tuple(_paths(schema, schema.get("$defs", {}), (), frozenset()))
    return Columns(paths, tuple(".".join(path) or listed.column for path in paths))


def _paths(
    schema: Schema, definitions: Schema, path: tuple[str, ...], above: frozenset[str]
) -> dict[tuple[str, ...], None]:
    # A dict for its order: the members of alternatives come once each.
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in above:  # a tree: its branches are JSON
            return {path: None}
        return _paths(definitions[name], definitions, path, above | {name})
    alternatives = [
        item for key in ("anyOf", "oneOf", "allOf") for item in schema.get(key, ()) if item.get("type") != "null"
    ]
    if alternatives:
        parts = [_paths(item, definitions, path, above) for item in alternatives]
        # An object or a plain value: only a column that takes either has room for both.
        return {path: None} if any(path in part for part in parts) else {key: None for part in parts for key in part}
    members: Schema = schema.get("properties", {})
    if not members:
        return {path: None}
    return {key: None for name, member in members.items() for key in _paths(member, definitions, (*path, name), above)}


def _value(row: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON value
    for name in path:
        if not isinstance(row, dict):
            return None
        row = row.get(name)
    return row
