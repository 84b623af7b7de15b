"""Wire models of exports."""

from typing import Annotated, Any, Literal

from pydantic import Field

from dataforge.contexts.datasets.wire_types import ColumnName, In, Sheet, Version


class ExportIn(In):
    """A file of one sheet (a workbook: of all), or of the difference to `base`."""

    format: Literal["csv", "excel", "parquet", "jsonl"] = "csv"
    compression: Literal["none", "gzip", "zstd"] = "none"
    sheet: Sheet | None = None
    columns: Annotated[list[ColumnName], Field(min_length=1, max_length=20_000)] | None = None
    filter: dict[str, Any] | None = None
    base: Version | None = None
