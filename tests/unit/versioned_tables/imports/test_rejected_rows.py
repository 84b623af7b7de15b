"""Every bad row is listed with its number and the line of the file, and rows are counted once."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from pyarrow import parquet

from tests.builders.tables import imported, store
from versioned_tables.errors import ImportRefused, SchemaMismatch, TooManyRejectedRows
from versioned_tables.files.options import REJECTED_LISTED, ImportOptions
from versioned_tables.storage.table_store import TableStore

COMMA = ImportOptions(delimiter=",")


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def listed(tables: TableStore, data: bytes | str, options: ImportOptions = COMMA) -> list[tuple[object, object]]:
    with pytest.raises(TooManyRejectedRows) as refused:
        imported(tables, data, options)
    rejected = refused.value.facts["rejected"]
    assert isinstance(rejected, list)
    return [(bad["row"], bad["line"]) for bad in rejected]


def test_all_bad_rows_are_listed_though_none_is_allowed(tables: TableStore) -> None:
    assert listed(tables, "id,name\n1,a\n2\n3,c\n4,d,e\n5\n") == [(2, 3), (4, 5), (5, 6)]


def test_lines_count_empty_lines_and_line_ends_inside_of_quotes(tables: TableStore) -> None:
    assert listed(tables, 'id,"na\nme"\n\n1,"a\nb\nc"\r\n2\n\n"3\n","x"\n4\n') == [(2, 7), (4, 11)]


def test_lines_go_on_over_buffers(tables: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("versioned_tables.imports.formats.BLOCK", 1 << 10)
    data = "id,t\n" + "".join(f"{n}\n" if n % 500 == 0 else f'{n},"a\nb"\n' for n in range(1, 2001))

    assert listed(tables, data) == [(500, 1000), (1000, 1999), (1500, 2998), (2000, 3997)]


def test_lone_carriage_returns_count_as_lines(tables: TableStore) -> None:
    assert listed(tables, "id,name\r1,a\r2\r") == [(2, 3)]


def test_values_that_break_a_declared_type_are_listed_with_ragged_rows(tables: TableStore) -> None:
    options = ImportOptions(delimiter=",", declared={"n": "int"})

    assert listed(tables, "n,t\n1,a\nx,b\n2\ny,c\n", options) == [(2, 3), (3, 4), (4, 5)]


def test_the_list_ends_at_a_documented_limit_and_says_so(tables: TableStore) -> None:
    with pytest.raises(TooManyRejectedRows, match="Only the first 1000 are listed") as refused:
        imported(tables, "id,name\n1,a\n" + "2\n" * (REJECTED_LISTED + 5), COMMA)

    assert len(refused.value.facts["rejected"]) == REJECTED_LISTED  # type: ignore[arg-type]


def test_a_nul_byte_is_named_with_row_line_and_column(tables: TableStore) -> None:
    with pytest.raises(ImportRefused, match=r"Row 2, column 2: a NUL byte.*line 5") as refused:
        imported(tables, b'id,name\n\n1,"o\nne"\n2,t\x00wo\n', COMMA)

    assert (refused.value.facts["row"], refused.value.facts["line"]) == (2, 5)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.csv", "id,t\n1,a\n2\n\n3,c\n"), ("a.jsonl", '{"id":1}\n7\n\n{"id":3}\n'), ("a.json", '[{"id":1},7,{"id":3}]')],
)
def test_rows_are_those_of_the_file_that_were_taken(tables: TableStore, name: str, data: str) -> None:
    options = ImportOptions(max_rejected=1, delimiter=",")
    first = imported(tables, data, options, name=name)
    second = imported(
        tables, data, ImportOptions("append", max_rejected=1, delimiter=","), name=name, bases=first.tables
    )

    for found, stored in ((first, 2), (second, 4)):
        assert found.report.tables[0].rows == 2
        assert found.report.tables[0].inserted == 2
        assert found.report.tables[0].rejected_count == 1
        assert found.tables["data"].rows == stored


BAD_ROWS: list[dict[str, str | None]] = [
    {"id": "1", "n": "7"},
    {"id": "2", "n": "x"},
    {"id": None, "n": "8"},
    {"id": "4", "n": "y"},
]
KEYED = ImportOptions(declared={"n": "int"}, key=("id",), max_rejected=3)


def workbook(rows: Sequence[Sequence[object]], sheet: str = "Marks") -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def in_sheet() -> bytes:
    heading: list[tuple[object, ...]] = [("Marks of the term",), (), ("id", "n")]
    return workbook([*heading, *((row["id"], row["n"]) for row in BAD_ROWS)])


def in_parquet() -> bytes:
    written = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(BAD_ROWS), written)
    return written.getvalue()


def in_json_lines() -> bytes:
    lines = [json.dumps(row) for row in BAD_ROWS]
    return "\n".join([lines[0], "", "[1]", *lines[1:], ""]).encode()


@pytest.mark.parametrize(
    ("data", "places"),
    [
        (in_sheet(), [(2, 5, "type"), (3, 6, "required"), (4, 7, "type")]),
        (in_parquet(), [(2, 0, "type"), (3, 0, "required"), (4, 0, "type")]),
        (in_json_lines(), [(2, 3, "object"), (3, 4, "type"), (4, 5, "required"), (5, 6, "type")]),
    ],
    ids=["sheet", "parquet", "json lines"],
)
def test_rows_of_typed_files_are_left_out_with_their_places(
    tables: TableStore, data: bytes, places: list[tuple[int, int, str]]
) -> None:
    made = imported(tables, data, replace(KEYED, max_rejected=len(places)))

    [table] = made.report.tables
    assert [(bad.row, bad.line, bad.rule) for bad in table.rejected] == places
    assert (table.rows, table.rejected_count) == (1, len(places))
    assert made.tables[table.name].rows == 1
    with pytest.raises(TooManyRejectedRows) as refused:
        imported(tables, data, replace(KEYED, max_rejected=len(places) - 1))
    listed_rows = refused.value.facts["rejected"]
    assert isinstance(listed_rows, list)
    assert [(bad["row"], bad["line"] or 0, bad["rule"]) for bad in listed_rows] == places


def test_what_no_row_may_be_left_out_for_lists_them_all(tables: TableStore) -> None:
    with pytest.raises(SchemaMismatch, match=r"'n' cannot be read as int.*row 2 has 'x'") as refused:
        imported(tables, in_sheet(), replace(KEYED, max_rejected=0, key=None))

    assert refused.value.facts["rejected_count"] == 2
    assert [(bad["row"], bad["line"]) for bad in refused.value.facts["rejected"]] == [(2, 5), (4, 7)]  # type: ignore[attr-defined]  # a list
    assert refused.value.facts["part"] == "sheet 'Marks'"


def test_many_bad_rows_of_a_typed_file_end_at_the_limit(tables: TableStore) -> None:
    written = io.BytesIO()
    parquet.write_table(pa.table({"n": ["x"] * 200_000}), written)

    with pytest.raises(SchemaMismatch) as refused:
        imported(tables, written.getvalue(), ImportOptions(declared={"n": "int"}))

    assert len(refused.value.facts["rejected"]) == REJECTED_LISTED  # type: ignore[arg-type]  # a list


@given(bad=st.sets(st.integers(0, 299)), keyed=st.booleans())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whichever_rows_are_bad_the_others_are_there(tmp_path: Path, bad: set[int], keyed: bool) -> None:
    tables = store(tmp_path)
    written = io.BytesIO()
    cells = ["x" if row in bad else str(row) for row in range(300)]
    parquet.write_table(pa.table({"id": list(range(299, -1, -1)), "n": cells}), written)
    options = ImportOptions(declared={"n": "int"}, key=("id",) if keyed else None, max_rejected=300)

    made = imported(tables, written.getvalue(), options)

    [table] = made.report.tables
    assert [item.row for item in table.rejected] == [row + 1 for row in sorted(bad)]
    assert (table.rows, made.tables["data"].rows) == (300 - len(bad), 300 - len(bad))
