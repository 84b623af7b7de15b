"""DataFrames and Arrow tables from answers, and files from what somebody wants to store."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from dataforge_client.errors import Missing

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

PARQUET = "application/vnd.apache.parquet"
ATTRIBUTES = "dataforge"
"""Where a pandas DataFrame remembers the version it was read from: `frame.attrs["dataforge"]`."""

Tabular: TypeAlias = "pd.DataFrame | pl.DataFrame | pa.Table | Sequence[Mapping[str, Any]]"


def need(name: str, extra: str) -> ModuleType:
    """A module of an optional part; raises Missing with how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"This needs {name}: pip install 'dataforge-client[{extra}]'"
        raise Missing(message) from error


def arrow_of(parquet: bytes | io.BytesIO | Path) -> pa.Table:
    """The table in a Parquet file."""
    need("pyarrow", "arrow")
    from pyarrow import parquet as files

    source: Any = io.BytesIO(parquet) if isinstance(parquet, bytes) else parquet
    table: pa.Table = files.read_table(source)
    return table


def pandas_of(table: pa.Table, attributes: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """A DataFrame with the types that pandas gives Arrow's; texts as its own string type."""
    need("pandas", "pandas")
    frame: pd.DataFrame = table.to_pandas()
    if attributes is not None:
        frame.attrs[ATTRIBUTES] = dict(attributes)
    return frame


def polars_of(table: pa.Table) -> pl.DataFrame:
    """The same in polars, sharing Arrow's memory where it can."""
    polars = need("polars", "polars")
    frame: pl.DataFrame = polars.from_arrow(table)
    return frame


def pandas_of_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A DataFrame of JSON objects."""
    pandas = need("pandas", "pandas")
    frame: pd.DataFrame = pandas.DataFrame.from_records(list(rows), columns=columns)
    return frame


def parquet_bytes(data: Tabular, *, index: bool = False) -> bytes:
    """What somebody has, as a Parquet file: a DataFrame of pandas or polars, an Arrow table, or rows as mappings."""
    need("pyarrow", "arrow")
    import pyarrow as pa
    from pyarrow import parquet as files

    table: pa.Table
    if isinstance(data, pa.Table):
        table = data
    elif hasattr(data, "to_arrow"):  # of polars
        table = data.to_arrow()  # type: ignore[operator]  # pandas has any attribute, for it may name a column
    elif hasattr(data, "iloc"):  # of pandas, which says itself what its types are in Arrow
        table = pa.Table.from_pandas(data, preserve_index=index)
    else:
        table = pa.Table.from_pylist([dict(row) for row in data])
    sink = io.BytesIO()
    # Without the metadata of pandas: it names the index of a frame, which is no part of the table.
    files.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    return sink.getvalue()


def origin_of(data: object) -> Mapping[str, Any]:
    """The version that a DataFrame was read from, if it remembers one."""
    attributes = getattr(data, "attrs", None)
    origin = attributes.get(ATTRIBUTES) if isinstance(attributes, Mapping) else None
    return origin if isinstance(origin, Mapping) else {}
