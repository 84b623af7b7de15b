"""Exports: every format comes back as the same content, and diffs can be exported too."""

# ruff: noqa: DTZ001 - columns without a time zone are what is tested

import csv
import io
import json
import math
import zipfile
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import PEOPLE, imported, people, store, version
from versioned_tables.compare.diff import difference
from versioned_tables.errors import FilterRefused, OperationRefused
from versioned_tables.exports import ExportOptions, export_difference, export_table, export_workbook
from versioned_tables.exports import workbook as workbook_module
from versioned_tables.files.options import ImportOptions
from versioned_tables.format.manifest import Manifest
from versioned_tables.read.filters import parse_filter
from versioned_tables.schema.columns import TableSchema, make_schema
from versioned_tables.storage.table_store import TableStore

quick = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
EVERY = make_schema(
    [
        ("id", "int"),
        ("t", "string"),
        ("f", "float"),
        ("b", "bool"),
        ("d", "date"),
        ("at", "timestamp"),
        ("utc", "timestamptz"),
        ("x", "decimal(12,3)"),
        ("time", "time"),
        ("raw", "binary"),
    ],
    ["id"],
)


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def exported(tables: TableStore, manifest: Manifest, options: ExportOptions) -> bytes:
    out = io.BytesIO()
    export_table(tables, manifest, options, out)
    return out.getvalue()


def texts() -> st.SearchStrategy[str]:
    return st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)


def rows() -> st.SearchStrategy[list[dict[str, object]]]:
    cells = st.fixed_dictionaries(
        {
            "t": st.none() | texts(),
            "f": st.none() | st.floats(),
            "b": st.none() | st.booleans(),
            "d": st.none() | st.dates(),
            "at": st.none() | st.datetimes(),
            "utc": st.none() | st.datetimes(timezones=st.just(UTC)),
            "x": st.none() | st.decimals(-999_999, 999_999, places=3),
            "time": st.none() | st.times(),
            "raw": st.none() | st.binary(max_size=5),
        }
    )
    return st.lists(cells, max_size=15).map(lambda found: [{"id": number, **row} for number, row in enumerate(found)])


@quick
@given(rows(), st.sampled_from(["csv", "parquet"]), st.sampled_from(["none", "gzip", "zstd"]))
def test_an_export_imports_as_the_same_content(
    tables: TableStore, values: list[dict[str, object]], kind: str, compression: str
) -> None:
    manifest = version(tables, values, EVERY)

    data = exported(tables, manifest, ExportOptions(kind, compression if kind == "csv" else "none"))  # type: ignore[arg-type]
    again = imported(
        tables,
        data,
        ImportOptions(declared={c.name: c.type for c in EVERY.columns}, header=True, delimiter=","),
        bases={"data": manifest},
    )

    assert again.tables["data"].digest == manifest.digest
    assert again.tables["data"].schema == manifest.schema


@quick
@given(st.lists(st.none() | texts(), max_size=12), st.sampled_from([",", ";", "\t"]))
def test_text_survives_csv_in_any_dialect(tables: TableStore, values: list[str | None], delimiter: str) -> None:
    schema = make_schema([("t", "string"), ("n", "int")])
    manifest = version(tables, [{"t": value, "n": 1} for value in values], schema)

    data = exported(tables, manifest, ExportOptions(delimiter=delimiter))
    again = imported(tables, data, ImportOptions(delimiter=delimiter, header=True), bases={"data": manifest})
    python = list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))

    assert again.tables["data"].digest == manifest.digest
    assert [row[0] for row in python[1:]] == [value or "" for value in values]


def simple(tables: TableStore) -> Manifest:
    schema = make_schema(
        [
            ("id", "int"),
            ("t", "string"),
            ("f", "float"),
            ("b", "bool"),
            ("d", "date"),
            ("at", "timestamp"),
            ("long", "int"),
        ],
        ["id"],
    )
    return version(
        tables,
        [
            {
                "id": 1,
                "t": 'a & <b> "c"\n',
                "f": 1.5,
                "b": True,
                "d": date(2024, 2, 29),
                "at": datetime(2024, 2, 29, 12, 30, 1),
                "long": 5,
            },
            {
                "id": 2,
                "t": None,
                "f": 2.25,
                "b": False,
                "d": date(1999, 12, 31),
                "at": datetime(2000, 1, 1, 1),
                "long": -5,
            },
        ],
        schema,
    )


@pytest.mark.parametrize("kind", ["excel", "jsonl"])
def test_workbooks_and_json_lines_come_back_too(tables: TableStore, kind: str) -> None:
    manifest = simple(tables)

    data = exported(tables, manifest, ExportOptions(kind))  # type: ignore[arg-type]
    again = imported(
        tables, data, ImportOptions(format="jsonl" if kind == "jsonl" else "auto"), bases={"data": manifest}
    ).tables["data"]

    assert again.digest == manifest.digest


def test_another_reader_understands_the_workbook(tables: TableStore) -> None:
    out = io.BytesIO()
    export_workbook(
        tables, {"a/b": simple(tables), "A_B": version(tables, people(range(3)))}, ExportOptions("excel"), out
    )

    book = openpyxl.load_workbook(out)

    assert book.sheetnames == ["a_b", "A_B (2)"]
    assert [cell.value for cell in book["a_b"][2]] == [
        1,
        'a & <b> "c"\n',
        1.5,
        True,
        datetime(2024, 2, 29),
        datetime(2024, 2, 29, 12, 30, 1),
        5,
    ]


def test_what_a_workbook_would_change_is_written_as_text(tables: TableStore) -> None:
    schema = make_schema([("id", "int"), ("d", "date"), ("t", "string"), ("f", "float")])
    manifest = version(tables, [{"id": 2**60, "d": date(1850, 1, 1), "t": "a\x01b", "f": float("inf")}], schema)

    book = openpyxl.load_workbook(io.BytesIO(exported(tables, manifest, ExportOptions("excel"))))

    assert [cell.value for cell in book["data"][2]] == [str(2**60), "1850-01-01", "a_x0001_b", "Infinity"]


def test_more_rows_than_a_sheet_holds_are_refused(tables: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_module, "MOST_ROWS", 10)

    with pytest.raises(OperationRefused, match="more than 10 rows"):
        exported(tables, version(tables, people(range(11))), ExportOptions("excel"))


def test_an_export_can_be_narrowed_to_columns_and_rows(tables: TableStore) -> None:
    manifest = version(tables, people(range(100)))

    data = exported(
        tables,
        manifest,
        ExportOptions(
            columns=("score", "id"), where=parse_filter({"column": "name", "op": "eq", "value": people([9])[0]["name"]})
        ),
    )

    assert data == b"score,id\n2.25,9\n"
    with pytest.raises(FilterRefused, match="no column 'nope'"):
        exported(tables, manifest, ExportOptions(columns=("nope",)))


def test_an_empty_table_exports_its_header(tables: TableStore) -> None:
    empty = Manifest(PEOPLE)

    assert exported(tables, empty, ExportOptions()) == b"id,name,score\n"
    assert (
        imported(tables, exported(tables, empty, ExportOptions("parquet"))).tables["data"].schema.names == PEOPLE.names
    )


def test_json_lines_have_nan_and_infinity_as_texts(tables: TableStore) -> None:
    schema = TableSchema(make_schema([("f", "float"), ("t", "time")]).columns)
    manifest = version(tables, [{"f": float("nan"), "t": time(1, 2, 3)}, {"f": float("-inf"), "t": None}], schema)

    assert (
        exported(tables, manifest, ExportOptions("jsonl"))
        == b'{"f":"NaN","t":"01:02:03"}\n{"f":"-Infinity","t":null}\n'
    )


@pytest.mark.parametrize("columns", [("f",), ("id", "f")], ids=", ".join)
@pytest.mark.parametrize(
    "condition", ["isnan(f)", "f > 5", "f <> 1", "f < 5", "NOT f <= 5", "f = 'nan'::double", "f > 2 OR f IS NULL"]
)
def test_engines_find_nan_in_parquet(
    tables: TableStore, tmp_path: Path, columns: tuple[str, ...], condition: str
) -> None:
    schema = make_schema([("id", "int"), ("f", "float")], ["id"])
    manifest = version(tables, [{"id": at, "f": f} for at, f in enumerate([1.0, 1.0, math.nan, None])], schema)
    file = tmp_path / "rows.parquet"
    file.write_bytes(exported(tables, manifest, ExportOptions("parquet", columns=columns)))

    engine = duckdb.connect()
    engine.execute(f"CREATE TABLE copied AS SELECT * FROM '{file}'")
    found, right = (
        engine.execute(f"SELECT count(*) FROM {source} WHERE {condition}").fetchone()
        for source in (f"'{file}'", "copied")
    )

    assert found == right


def test_a_difference_is_exported_with_both_sides(tables: TableStore) -> None:
    base = version(tables, people(range(4)))
    head = version(
        tables,
        [*people(range(3))[:2], {"id": 2, "name": None, "score": 9.0}, {"id": 8, "name": "new", "score": 1.0}],
        base=base,
    )
    out = io.BytesIO()

    report = export_difference(tables, difference(tables, base, head), ExportOptions(), out)

    lines = list(csv.DictReader(io.StringIO(out.getvalue().decode())))
    assert report.rows == 3
    assert [(line["_change"], line["id (before)"], line["id (after)"], line["score (after)"]) for line in lines] == [
        ("updated", "2", "2", "9.0"),
        ("deleted", "3", "", ""),
        ("inserted", "", "8", "1.0"),
    ]


def test_a_difference_has_the_texts_and_the_json_values_of_the_table(tables: TableStore) -> None:
    schema = make_schema([("id", "int"), ("b", "bool"), ("f", "float")], ["id"])
    base = version(tables, [{"id": 1, "b": True, "f": 1.0}], schema)
    head = version(tables, [{"id": 1, "b": False, "f": float("nan")}], schema, base)
    found = difference(tables, base, head)
    text, lines = io.BytesIO(), io.BytesIO()

    export_difference(tables, found, ExportOptions(), text)
    export_difference(tables, found, ExportOptions("jsonl"), lines)

    assert text.getvalue().splitlines()[1] == b"updated,1,1,true,false,1.0,NaN"
    assert json.loads(lines.getvalue()) == {
        "_change": "updated",
        "id (before)": 1,
        "id (after)": 1,
        "b (before)": True,
        "b (after)": False,
        "f (before)": 1.0,
        "f (after)": "NaN",
    }


def test_decimals_keep_their_digits(tables: TableStore) -> None:
    manifest = version(tables, [{"v": Decimal("1.10")}], make_schema([("v", "decimal(5,2)")]))

    assert exported(tables, manifest, ExportOptions()) == b"v\n1.10\n"


def test_a_workbook_is_a_plain_zip(tables: TableStore) -> None:
    with zipfile.ZipFile(io.BytesIO(exported(tables, simple(tables), ExportOptions("excel")))) as archive:
        assert archive.testzip() is None


def test_an_arrow_stream_has_the_rows_and_types_of_the_parquet_file(tables: TableStore) -> None:
    manifest = version(tables, people(range(100)))

    stream = pa.ipc.open_stream(exported(tables, manifest, ExportOptions("arrow"))).read_all()
    file = pq.read_table(io.BytesIO(exported(tables, manifest, ExportOptions("parquet"))))

    assert stream.equals(file)
    assert stream.num_rows == 100


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "arrow"])
def test_an_empty_table_is_a_file_without_rows(tables: TableStore, kind: str) -> None:
    options = ExportOptions(kind)  # type: ignore[arg-type]  # the test's own list of formats

    data = exported(tables, Manifest(PEOPLE), options)

    assert data or kind == "jsonl"
    assert export_table(tables, Manifest(PEOPLE), options, io.BytesIO()).rows == 0


def test_rows_come_backwards_when_asked_to(tables: TableStore) -> None:
    manifest = version(tables, people(range(70_000)))

    data = exported(tables, manifest, ExportOptions(descending=True, columns=("id",)))

    assert [int(line) for line in data.splitlines()[1:]] == list(reversed(range(70_000)))


@quick
@given(st.lists(st.none() | texts() | st.sampled_from(["=1", "+1", "-1", "@x", "\tx", "\rx"]), max_size=12))
def test_a_spreadsheet_gets_no_cell_that_it_would_calculate(tables: TableStore, values: list[str | None]) -> None:
    schema = make_schema([("t", "string"), ("n", "int")])
    manifest = version(tables, [{"t": value, "n": -1} for value in values], schema)

    data = exported(tables, manifest, ExportOptions(excel=True)).decode("utf-8-sig")
    cells = [row[0] for row in list(csv.reader(io.StringIO(data, newline="")))[1:]]

    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [cell.removeprefix("'") if cell[1:2] in "=+-@\t\r" and cell[1:] else cell for cell in cells] == [
        (value or "").removeprefix("'") if (value or "")[1:2] in "=+-@\t\r" and (value or "")[1:] else value or ""
        for value in values
    ]
