"""What the OpenAPI document says of the formats of a route: its parameters, its media types, the columns of its CSV."""

from collections.abc import Mapping
from typing import Any

from dataforge.http.csv_lists import CSV, EXCEL, FORMAT, ListRoute
from dataforge.http.file_answers import AT_LOCATION

_EXCEL: dict[str, Any] = {
    "name": EXCEL,
    "in": "query",
    "required": False,
    "description": "CSV for spreadsheets: with a byte order mark, and an apostrophe before what would be a formula",
    "schema": {"type": "boolean", "default": False},
}


def complete_with_formats(operation: dict[str, Any], listed: ListRoute) -> None:
    """Add to an operation what its route answers besides the model of its handler."""
    if not listed.parameters:
        return
    parameters = operation.setdefault("parameters", [])
    if listed.formats:
        parameters.append(_format_parameter(listed.formats))
    parameters.append(_EXCEL)
    content = operation["responses"]["200"].setdefault("content", {})
    content.setdefault(CSV, {"schema": {"type": "string"}})
    content[CSV]["schema"] = {"type": "string", "description": _description(listed)}
    operation["responses"]["303"] = AT_LOCATION


def _format_parameter(formats: Mapping[str, str]) -> dict[str, Any]:
    named = ", ".join(f"`{name}` is {media_type}" for name, media_type in formats.items())
    return {
        "name": FORMAT,
        "in": "query",
        "required": False,
        "description": f"instead of Accept: {named}; CSV has the whole list unless `limit` or `cursor` is given",
        "schema": {"type": "string", "enum": list(formats), "default": "json"},
    }


def _description(listed: ListRoute) -> str:
    columns = listed.columns
    return "with a header line" if columns is None else f"columns: {', '.join(columns.names)}"
