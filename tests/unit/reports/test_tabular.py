"""Reports as CSV and Parquet."""

import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from dataforge.contexts.reports.tabular import Kind, Tabular, csv_bytes, parquet_bytes

AT = datetime(2026, 4, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
TABLE = Tabular(
    {
        "name": Kind.TEXT,
        "count": Kind.COUNT,
        "share": Kind.NUMBER,
        "done": Kind.FLAG,
        "at": Kind.TIME,
        "on": Kind.DATE,
    },
    [("Ana, Bo", 3, -0.5, True, AT, date(2026, 4, 1)), (None,) * 6],
)


def rows_of(table: Tabular, *, excel: bool = False) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_bytes(table, excel=excel).decode(), newline="")))


def test_csv_has_a_header_times_in_utc_and_nothing_for_what_is_not_known() -> None:
    assert rows_of(TABLE) == [
        ["name", "count", "share", "done", "at", "on"],
        ["Ana, Bo", "3", "-0.5", "true", "2026-04-01T10:30:00Z", "2026-04-01"],
        [""] * 6,
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_is_no_formula_in_a_spreadsheet(start: str) -> None:
    table = Tabular({"name": Kind.TEXT}, [(f"{start}cmd|' /C calc'!A0",)])

    [_, [plain]], [_, [excel]] = rows_of(table), rows_of(table, excel=True)
    assert plain == f"{start}cmd|' /C calc'!A0"
    assert excel == f"'{plain}"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_csv_gives_texts_back(texts: list[str]) -> None:
    table = Tabular({"place": Kind.COUNT, "text": Kind.TEXT}, list(enumerate(texts)))

    assert [text for _, text in rows_of(table)[1:]] == texts


def test_parquet_has_types_and_says_what_it_rests_on() -> None:
    found = parquet.read_table(io.BytesIO(parquet_bytes(TABLE, {"watermark": "2026-04-01"})))

    assert found.schema.types == [
        pa.string(),
        pa.int64(),
        pa.float64(),
        pa.bool_(),
        pa.timestamp("us", tz="UTC"),
        pa.date32(),
    ]
    assert (found.schema.metadata or {})[b"watermark"] == b"2026-04-01"
    assert found.column("at").to_pylist() == [AT.astimezone(UTC), None]
    assert found.column("count").to_pylist() == [3, None]


def test_parquet_of_no_rows_has_its_columns() -> None:
    found = parquet.read_table(io.BytesIO(parquet_bytes(Tabular(TABLE.columns, []), {})))

    assert (found.num_rows, found.column_names) == (0, list(TABLE.columns))
