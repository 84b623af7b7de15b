"""How a file that is the body of a request is to be imported: what stands in the query."""

import json
from typing import Annotated, Any

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from dataforge.contexts.datasets.imports.wire import FileFormat, ImportIn, ImportMode, Mark
from dataforge.contexts.datasets.wire_types import ColumnName, Message, Sheet

FileName = Annotated[
    str | None,
    Query(min_length=1, max_length=255, description="what the file is called; its ending is a hint, no more"),
]
NullText = Annotated[str, Field(max_length=100)]


def _declared(text: str) -> Any:  # noqa: ANN401 - any JSON value, which the model checks
    try:
        return json.loads(text)
    except ValueError:
        return text


def file_options(
    *,
    mode: Annotated[ImportMode, Query(description="what becomes of the rows that are there")] = "replace",
    format: Annotated[FileFormat, Query(description="found out when left out")] = "auto",  # noqa: A002 - the name of the parameter
    table: Annotated[Sheet, Query(description="the table of a file that has only one")] = "data",
    encoding: Annotated[str | None, Query(max_length=40)] = None,
    delimiter: Annotated[Mark | None, Query()] = None,
    quote: Annotated[Mark | None, Query()] = None,
    header: Annotated[bool | None, Query()] = None,
    skip_lines: Annotated[int | None, Query(ge=0, le=1000, description="rows above the header")] = None,
    comment: Annotated[
        str | None, Query(min_length=1, max_length=4, description="beginning of lines to leave out")
    ] = None,
    key: Annotated[
        list[ColumnName] | None,
        Query(max_length=32, description="column; repeat for several; that of the table when left out"),
    ] = None,
    keyless: Annotated[bool, Query(description="the rows have no key; not together with key")] = False,
    declared_types: Annotated[
        str | None, Query(max_length=8_000, description='JSON: {"column": "type", …}; such a type decides')
    ] = None,
    null_values: Annotated[
        list[NullText] | None, Query(max_length=100, description="text that means no value; repeat for several")
    ] = None,
    max_rejected: Annotated[int, Query(ge=0, le=1_000_000, description="bad rows that may be left out")] = 0,
    add_columns: bool = True,
    drop_columns: bool = True,
    widen_types: bool = True,
    change_types: bool = False,
    sheets: Annotated[
        list[Sheet] | None,
        Query(max_length=50, description="sheet of a workbook; repeat for several"),
    ] = None,
    keep_other_tables: Annotated[bool, Query(description="in mode replace")] = False,
    message: Annotated[Message | None, Query(description="of the commit")] = None,
) -> ImportIn:
    """The options of an import from the query; refused as those of a body are."""
    values = {
        "mode": mode,
        "format": format,
        "table": table,
        "encoding": encoding,
        "delimiter": delimiter,
        "quote": quote,
        "header": header,
        "skip_lines": skip_lines,
        "comment": comment,
        "key": [] if keyless and not key else key,
        "declared_types": {} if declared_types is None else _declared(declared_types),
        "null_values": null_values or [],
        "max_rejected": max_rejected,
        "evolution": {
            "add_columns": add_columns,
            "drop_columns": drop_columns,
            "widen_types": widen_types,
            "change_types": change_types,
        },
        "sheets": sheets or [],
        "keep_other_tables": keep_other_tables,
        "message": message,
    }
    try:
        return ImportIn.model_validate(values)
    except ValidationError as error:
        found = [{**item, "loc": ("query", *item["loc"])} for item in error.errors(include_url=False)]
        raise RequestValidationError(found) from error
