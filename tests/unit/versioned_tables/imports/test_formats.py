"""Workbooks, Parquet, JSON lines and dialects: what comes out is what was put in."""

# ruff: noqa: DTZ001 - columns without a time zone are what is tested

import io
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.tables import column, imported, rows_of, store
from versioned_tables.errors import ImportRefused, TooManyRejectedRows, WorkbookRefused
from versioned_tables.files.excel import run_reader
from versioned_tables.files.options import ImportOptions
from versioned_tables.storage.table_store import TableStore


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.slow
def test_every_sheet_of_a_workbook_is_a_table_with_types(tables: TableStore) -> None:
    book = openpyxl.Workbook()
    people = book.worksheets[0]
    people.title = "People"
    for row in (
        ["id", "name", "born", "seen", "score", "ok", "mixed"],
        [1, "007", date(2000, 2, 29), datetime(2024, 1, 2, 3, 4, 5), 1.5, True, 1],
        [2, None, date(1999, 1, 1), datetime(2024, 1, 2), 2, False, "x"],
    ):
        people.append(row)
    hidden = book.create_sheet("Secret")
    hidden.sheet_state = "hidden"
    hidden.append(["a"])
    hidden.append([1])
    book.create_sheet("Nothing")

    found = imported(tables, saved(book), name="x.xlsx")

    assert list(found.tables) == ["People", "Secret"]
    assert [c.type for c in found.tables["People"].schema.columns] == [
        "int",
        "string",
        "date",
        "timestamp",
        "float",
        "bool",
        "string",
    ]
    assert rows_of(tables, found.tables["People"]) == [
        {
            "id": 1,
            "name": "007",
            "born": "2000-02-29",
            "seen": "2024-01-02T03:04:05",
            "score": 1.5,
            "ok": True,
            "mixed": "1",
        },
        {
            "id": 2,
            "name": None,
            "born": "1999-01-01",
            "seen": "2024-01-02T00:00:00",
            "score": 2.0,
            "ok": False,
            "mixed": "x",
        },
    ]
    assert found.report.notes == [
        "Sheet 'Secret' is hidden; it was read.",
        "Sheet 'Nothing' is empty and was left out.",
    ]


@pytest.mark.slow
def test_merged_cells_formulas_and_error_cells_are_reported(tables: TableStore) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["a", "b"], [1, "=A2*2"], ["#DIV/0!", 3]):
        sheet.append(row)
    sheet["A3"].data_type = "e"
    sheet.merge_cells("A4:B5")

    found = imported(tables, saved(book), name="x.xlsx")

    notes = " ".join(found.report.tables[0].notes)
    assert "1 merged range:" in notes
    assert "1 formula: " in notes
    assert "1 error cell (such as #DIV/0!) was" in notes
    assert rows_of(tables, found.tables["Sheet"])[1]["a"] is None


@pytest.mark.slow
def test_a_sheet_can_be_chosen_and_a_missing_one_is_named(tables: TableStore) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a"])
    other = book.create_sheet("Other")
    other.append(["b"])
    other.append([2])

    assert list(imported(tables, saved(book), ImportOptions(sheets=("Other",))).tables) == ["Other"]
    with pytest.raises(WorkbookRefused, match="no sheet 'Nope'"):
        imported(tables, saved(book), ImportOptions(sheets=("Nope",)))


def test_a_reader_that_runs_out_of_memory_or_time_is_an_import_error(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["a"])
    path = tmp_path / "x.xlsx"
    path.write_bytes(saved(book))

    with pytest.raises(WorkbookRefused, match="memory"):
        run_reader(path, tmp_path, ImportOptions(), memory=64 << 20)
    with pytest.raises(WorkbookRefused, match="took more than 0 seconds"):
        run_reader(path, tmp_path, ImportOptions(), seconds=0.01)


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def test_parquet_types_are_kept_and_nested_values_become_json(tables: TableStore) -> None:
    data = parquet(
        pa.table(
            {
                "i": pa.array([1, None], pa.int32()),
                "f": pa.array([1.5, float("nan")], pa.float32()),
                "d": pa.array([Decimal("1.20"), None]),
                "big": pa.array([2**64 - 1, 1], pa.uint64()),
                "l": [[1, 2], None],
                "s": [{"a": 1}, {"a": None}],
                "c": pa.array(["x", "y"]).dictionary_encode(),
                "n": pa.array([1, 1_000], pa.timestamp("ns")),
                "u": pa.array([1_000, 2_000], pa.timestamp("us", "Europe/Berlin")),
                "z": pa.nulls(2),
                "b": pa.array([b"\x00\xff", None]),
            }
        )
    )

    manifest = imported(tables, data, name="x.parquet").tables["data"]

    assert {c.name: c.type for c in manifest.schema.columns} == {
        "i": "int",
        "f": "float",
        "d": "decimal(3,2)",
        "big": "decimal(20,0)",
        "l": "json",
        "s": "json",
        "c": "string",
        "n": "string",
        "u": "timestamptz",
        "z": "string",
        "b": "binary",
    }
    first = rows_of(tables, manifest)[0]
    assert (first["d"], first["big"], first["l"], first["s"]) == ("1.20", "18446744073709551615", "[1,2]", '{"a":1}')
    assert (first["n"], first["u"], first["b"]) == ("1970-01-01T00:00:00.000000001", "1970-01-01T00:00:00.001Z", "00ff")


def test_json_lines_become_a_table_in_order_of_first_appearance(tables: TableStore) -> None:
    lines = [
        {"id": 1, "v": 1, "t": "007"},
        {"id": 2, "v": 2.5, "day": "2024-01-31"},
        {"id": 3, "tags": ["a", 1], "t": 5},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + "\n\n"

    manifest = imported(tables, text, name="x.jsonl").tables["data"]

    assert [(c.name, c.type) for c in manifest.schema.columns] == [
        ("id", "int"),
        ("v", "float"),
        ("t", "string"),
        ("day", "date"),
        ("tags", "json"),
    ]
    assert rows_of(tables, manifest)[2] == {"id": 3, "v": None, "t": "5", "day": None, "tags": '["a",1]'}


@pytest.mark.parametrize("line", ['{"id": 1', "[1]", '{"v": NaN}', "nonsense"])
def test_a_line_that_is_no_json_object_is_named(tables: TableStore, line: str) -> None:
    with pytest.raises(TooManyRejectedRows, match="row 2"):
        imported(tables, f'{{"id": 1}}\n{line}\n', name="x.ndjson")


def test_json_lines_without_an_object_are_refused(tables: TableStore) -> None:
    with pytest.raises(ImportRefused, match="no JSON object"):
        imported(tables, "\n", name="x.jsonl")


@pytest.mark.parametrize(
    ("text", "delimiter", "quote"),
    [
        ("id;name;price\n1;a, b;1,5\n2;c, d;2,5\n", ";", '"'),
        ("id\tname\n1\ta, b\n2\tc; d\n", "\t", '"'),
        ("id|name\n1|a\n2|b\n", "|", '"'),
        ("id,name\n1,'a, b'\n2,'c'\n", ",", "'"),
        ('"id","name"\n"1","a;b;c"\n"2","d;e;f"\n', ",", '"'),
        ("id,at\n1,10:30:00\n2,11:45:10\n", ",", '"'),
    ],
)
def test_the_dialect_is_told_from_the_rows(tables: TableStore, text: str, delimiter: str, quote: str) -> None:
    found = imported(tables, text)

    assert (found.report.delimiter, found.report.quote) == (delimiter, quote)
    assert found.tables["data"].rows == 2


def test_rows_without_a_header_get_numbered_columns(tables: TableStore) -> None:
    found = imported(tables, "1,2024-01-01,a\n2,2024-01-02,b\n")
    declared = imported(tables, "x,y\nz,w\n", ImportOptions(header=False))

    assert found.tables["data"].schema.names == ["column_1", "column_2", "column_3"]
    assert found.tables["data"].rows == 2
    assert declared.tables["data"].rows == 2
    assert found.report.header is False


def test_a_header_of_years_is_a_header(tables: TableStore) -> None:
    assert imported(tables, "country,2020,2021\nde,1,2\nfr,3,4\n").tables["data"].schema.names == [
        "country",
        "2020",
        "2021",
    ]


def test_backslash_escapes_are_understood(tables: TableStore) -> None:
    manifest = imported(tables, 'id,name\n1,"say \\"hi\\", you"\n2,"b"\n').tables["data"]

    assert rows_of(tables, manifest)[0] == {"id": 1, "name": 'say "hi", you'}


def test_null_texts_can_be_declared(tables: TableStore) -> None:
    manifest = imported(tables, "id,v\n1,NA\n2,3\n", ImportOptions(null_values=("NA",))).tables["data"]

    assert rows_of(tables, manifest) == [{"id": 1, "v": None}, {"id": 2, "v": 3}]


def test_a_single_column_keeps_its_empty_rows(tables: TableStore) -> None:
    manifest = imported(tables, "v\n1\n\n3\n", ImportOptions(delimiter=",")).tables["data"]

    assert rows_of(tables, manifest) == [{"v": 1}, {"v": None}, {"v": 3}]


@pytest.mark.slow
def test_lengths_of_time_in_a_sheet_are_iso_durations(tables: TableStore) -> None:
    book = openpyxl.Workbook()
    for row in (["d", "mixed"], [timedelta(hours=36), timedelta(hours=6)], [timedelta(days=30, seconds=1.5), "x"]):
        book.worksheets[0].append(row)
    for row in ([timedelta(minutes=90), time(1, 2, 3, 500_000)], [None, datetime(2024, 1, 1, 1, 2, 3, 456_000)]):
        book.worksheets[0].append(row)

    found = imported(tables, saved(book), name="a.xlsx").tables["Sheet"]

    rows = rows_of(tables, found)
    assert column(rows, "d")[:2] == ["P1DT12H", "P30DT1.5S"]
    assert column(rows, "mixed") == ["PT6H", "x", "01:02:03.5", "2024-01-01T01:02:03.456"]


def test_a_workbook_without_a_value_is_refused_and_replaces_nothing(tables: TableStore) -> None:
    with pytest.raises(WorkbookRefused, match="The workbook is empty: no sheet has a header or rows"):
        imported(tables, saved(openpyxl.Workbook()), name="a.xlsx")


def test_parquet_without_columns_is_refused(tables: TableStore) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({}), out)

    with pytest.raises(ImportRefused, match="has no columns"):
        imported(tables, out.getvalue(), name="a.parquet")
