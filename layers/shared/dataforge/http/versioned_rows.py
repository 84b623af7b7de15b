"""Rows with a revision over HTTP: bodies to values, rows to answers with ETag."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from dataforge.http.call import Call, json_response
from dataforge.http.etag import etag

PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: {"description": "not there, or not for you"},
    409: {"description": "a rule or the present state refuses; `code` names it"},
}
VERSIONED: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    412: {"description": "If-Match names another version"},
    428: {"description": "If-Match is missing"},
}


def changes_of(body: BaseModel) -> dict[str, Any]:
    """The members that were sent, enums as their values."""
    return {key: getattr(value, "value", value) for key, value in dict(body).items() if key in body.model_fields_set}


def values_of(body: BaseModel) -> dict[str, Any]:
    """All members, defaults included, enums as their values."""
    return {key: getattr(value, "value", value) for key, value in dict(body).items()}


def versioned(row: Mapping[str, Any], *, status: int = 200, location: str | None = None) -> Response:
    """A row with its revision as ETag; a new one with its Location."""
    headers = {"ETag": etag(row["revision"])}
    if location is not None:
        headers["Location"] = location
    return json_response(row, status=status, headers=headers)


def created(call: Call, collection: str, row: Mapping[str, Any]) -> Response:
    """A new row of a collection, with its ETag and its Location."""
    return versioned(row, status=201, location=call.address(collection, row["id"]))


def no_content(_result: object) -> Response:
    """204."""
    return json_response(None, status=204)
