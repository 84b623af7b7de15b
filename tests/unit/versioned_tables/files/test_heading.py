"""Where a table begins and what is no table: the same for text files and sheets, said in the report, overridable."""

import csv
import io
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from tests.builders.tables import column, imported, rows_of, store
from versioned_tables.errors import ImportRefused, TooManyRejectedRows
from versioned_tables.files.excel_child import read_workbook
from versioned_tables.files.options import ImportOptions
from versioned_tables.storage.table_store import TableStore

Cell = str | int | float | None


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def as_csv(rows: list[list[Cell]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def as_workbook(rows: list[list[Cell]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def of_both(tables: TableStore, folder: Path, rows: list[list[Cell]], options: ImportOptions) -> list[list[str]]:
    """The column names of the rows as a text file and as a sheet (read as the child process reads it)."""
    path = folder / "a.xlsx"
    path.write_bytes(as_workbook(rows))
    (sheet,) = read_workbook(path, folder, [], header=options.header, skip=options.skip_lines)["sheets"]
    with pa.memory_map(str(folder / sheet["file"])) as file:
        count = pa.ipc.open_file(file).read_all().num_rows
    (manifest,) = imported(tables, as_csv(rows), options).tables.values()
    return [[*manifest.schema.names, str(manifest.rows)], [*(name for name, _ in sheet["columns"]), str(count)]]


HEADINGS: dict[str, tuple[list[list[Cell]], list[str], int]] = {
    "names above numbers": ([["id", "name"], [1, "a"], [2, "b"]], ["id", "name"], 2),
    "only text": ([["a", "b"], ["x", "y"], ["z", "w"]], ["a", "b"], 2),
    "names beside years": ([["country", 2020, 2021], ["de", 1, 2], ["fr", 3, 4]], ["country", "2020", "2021"], 2),
    "only numbers": ([[1, 2], [3, 4], [5, 6]], ["column_1", "column_2"], 3),
    "numbers in one row": ([[1, 2]], ["column_1", "column_2"], 1),
    "dates and text": ([["2024-01-01", "a"], ["2024-01-02", "b"]], ["column_1", "column_2"], 2),
    "dates above numbers": ([["who", "2024-01-01"], ["x", 1], ["y", 2]], ["who", "2024-01-01"], 2),
    "a title and an empty row": ([["Sales 2024", None], [None, None], ["id", "n"], [1, 2]], ["id", "n"], 1),
    "a title above three names": ([["Sales", None, None], ["id", "n", "t"], ["1", "2", "x"]], ["id", "n", "t"], 1),
    "a title of two cells": (
        [["Station", "Bonn", None, None], [None] * 4, ["d", "t", "r", "w"], ["x", 1, 2, 3]],
        ["d", "t", "r", "w"],
        1,
    ),
    "a missing value in the first row of data": ([[1, "n/a"], [2, 5], [3, 6]], ["column_1", "column_2"], 3),
}


@pytest.mark.parametrize("kind", list(HEADINGS))
def test_text_files_and_sheets_have_the_same_heading(tables: TableStore, tmp_path: Path, kind: str) -> None:
    rows, names, count = HEADINGS[kind]

    assert of_both(tables, tmp_path, rows, ImportOptions()) == [[*names, str(count)]] * 2


@pytest.mark.parametrize(
    ("options", "names", "count"),
    [
        (ImportOptions(skip_lines=1), ["id", "n"], 1),
        (ImportOptions(skip_lines=1, header=False), ["column_1", "column_2"], 2),
        (ImportOptions(skip_lines=0), ["x", "y"], 2),
        (ImportOptions(header=False), ["column_1", "column_2"], 3),
    ],
)
def test_the_heading_can_be_declared(
    tables: TableStore, tmp_path: Path, options: ImportOptions, names: list[str], count: int
) -> None:
    rows: list[list[Cell]] = [["x", "y"], ["id", "n"], [1, 2]]

    assert of_both(tables, tmp_path, rows, options) == [[*names, str(count)]] * 2


@pytest.mark.slow
def test_options_reach_the_child_that_reads_a_workbook(tables: TableStore) -> None:
    data = as_workbook([["x", "y"], ["id", "n"], [1, 2]])

    found = imported(tables, data, ImportOptions(skip_lines=1), name="a.xlsx")

    assert found.tables["Sheet"].schema.names == ["id", "n"]


def test_more_lines_to_skip_than_there_are_is_refused(tables: TableStore) -> None:
    with pytest.raises(ImportRefused, match="2 lines and 5 were to be skipped"):
        imported(tables, "a,b\n1,2\n", ImportOptions(skip_lines=5))


def test_the_report_says_why(tables: TableStore) -> None:
    no_header = imported(tables, "1,2\n3,4\n").report
    titled = imported(tables, "Sales\n\nid,n\n1,2\n").report

    assert no_header.header is False
    assert "'1' in column 1 is a value like those below" in no_header.header_reason
    assert "2 lines above the table were left out: 'Sales'." in titled.tables[0].notes
    alone = imported(tables, "Sales\nid,n\n1,2\n").report
    assert "1 line above the table was left out: 'Sales'." in alone.tables[0].notes


@pytest.mark.parametrize(
    ("text", "names", "titles"),
    [
        ("Sales report, 2024\n\nid,n,t\n1,2,3\n4,5,6\n", ["id", "n", "t"], "'Sales report, 2024'"),
        ("Sales report, 2024\n\nname,n\nx,3\ny,6\n", ["name", "n"], "'Sales report, 2024'"),
        ("Bericht; Stand 2024\n\nName;Wert;Ort\nx;1;B\ny;2;C\n", ["Name", "Wert", "Ort"], "'Bericht; Stand 2024'"),
        ("By A, B, C and D\n\nx,y\n1,2\n", ["x", "y"], "'By A, B, C and D'"),
        ("Place,Bonn\nYear,2024\n\nd,t,r\nx,1,2\ny,2,3\n", ["d", "t", "r"], "'Place,Bonn', 'Year,2024'"),
        ("A, b\n\nC, d\n\nx,y,z\na,b,1\nc,d,2\n", ["x", "y", "z"], "'A, b', 'C, d'"),
        ("Source: X, Y\nid,name,n\n1,a,2\n2,b,3\n", ["id", "name", "n"], "'Source: X, Y'"),
        ("By A, B, C, D and E\nid,name,n\n1,a,2\n2,b,3\n", ["id", "name", "n"], "'By A, B, C, D and E'"),
        (
            "Q1, 2024\nBy Bo, Inc.\nid;name;n\n1;a;2\n2;b;3\n",
            ["id", "name", "n"],
            "'Q1, 2024', 'By Bo, Inc.'",
        ),
        ("Place:,Bonn\nYear:,2024\nid,name,n\n1,a,2\n2,b,3\n", ["id", "name", "n"], "'Place:,Bonn', 'Year:,2024'"),
        ("// made by x, y\nid,name,n\n1,a,2\n2,b,3\n", ["id", "name", "n"], "'// made by x, y'"),
    ],
)
def test_titles_with_delimiters_stand_apart(tables: TableStore, text: str, names: list[str], titles: str) -> None:
    found = imported(tables, text)

    assert found.tables["data"].schema.names == names
    assert any(note.endswith(f" left out: {titles}.") for note in found.report.tables[0].notes)


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("name,n\n\nx,1\ny,2\n", ["name", "n"], 2),
        ("first name,n\n\nx,1\ny,2\n", ["first name", "n"], 2),
        ("time,temp\n\ns,C\n1,2\n", ["time", "temp"], 2),
        ("1,2\n\n3,4\n", ["column_1", "column_2"], 2),
    ],
)
def test_an_empty_line_alone_makes_no_titles(tables: TableStore, text: str, names: list[str], rows: int) -> None:
    (manifest,) = imported(tables, text).tables.values()

    assert (manifest.schema.names, manifest.rows) == (names, rows)


@pytest.mark.parametrize("text", ["a,b\n\n1,2,3\n4,5,6\n", "a,b\n1,2\n\nc,d,e\n1,2,3\n4,5,6\n"])
def test_two_tables_in_one_file_are_refused(tables: TableStore, text: str) -> None:
    with pytest.raises(TooManyRejectedRows, match="3 fields instead of 2"):
        imported(tables, text)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("# made by x\n# on Monday, in May\nid,name\n1,a\n", ","),
        ("#id,name\n1,a\n", ","),
        ("sep=;\nid;name\n1;a\n", ";"),
        ('"sep=,"\r\nid,name\r\n1,a\r\n', ","),
        ("sep=\\t\nid\tname\n1\ta\n", "\t"),
        ("\n\nid,name\n1,a\n", ","),
    ],
)
def test_marks_above_the_table_are_no_rows(tables: TableStore, text: str, delimiter: str) -> None:
    found = imported(tables, text)

    assert found.report.delimiter == delimiter
    assert [list(row.values()) for row in rows_of(tables, found.tables["data"])] == [[1, "a"]]


def test_comments_can_be_declared_and_lines_stay_right(tables: TableStore) -> None:
    text = '% x\nid,t\n1,"a\n% no comment"\n% y, z, w\n2,b\n3\n'
    options = ImportOptions(comment="%", max_rejected=1)

    found = imported(tables, text, options)

    assert column(rows_of(tables, found.tables["data"]), "t") == ["a\n% no comment", "b"]
    assert [(bad.row, bad.line) for bad in found.report.tables[0].rejected] == [(3, 7)]


ONE_COLUMN = {
    "times": ["01:00:00", "02:30:00"],
    "addresses of pages": ["http://a.b/c", "https://x.y/z?q=1"],
    "prose": ["Hello, world", "This is fine", "Yes, no, maybe"],
    "short prose": ["Good, thanks", "Bad, sorry"],
    "streets": ["1 Main St, Town", "2 Oak Rd, City"],
    "decimal commas": ["1,5", "2,5"],
    "lists": ["a;b;c", "d", "e;f"],
    "pipes": ["x|y", "z"],
    "words": ["a b", "c d e"],
}


@pytest.mark.parametrize("kind", list(ONE_COLUMN))
def test_one_column_may_contain_delimiters(tables: TableStore, kind: str) -> None:
    values = ONE_COLUMN[kind]

    found = imported(tables, "t\n" + "".join(f"{value}\n" for value in values))

    assert [str(value) for value in column(rows_of(tables, found.tables["data"]), "t")] == values
    assert found.report.delimiter == ""


@pytest.mark.parametrize(
    "text",
    [
        "id,name\n1,one\n2\n3,three,more\n4,four\n",
        "id,name\n1\n2\n3\n",
        "a;b\n1;2\n3\n4\n5;6\n",
        "a\tb\n1\n2\t3\n4\n",
        "2024-01-31, monthly\nid,name,n\n1,a,2\n2,b,3\n",
        "first id,last name\n1,a,2\n2,b,3\n",
        "first id,last name\nx y,a,2\nz,b,3\n",
    ],
)
def test_ragged_files_are_refused_and_never_one_column(tables: TableStore, text: str) -> None:
    with pytest.raises(TooManyRejectedRows, match=r"fields? instead of"):
        imported(tables, text)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a, b\n1, "x \\" y"\n2, "z"\n', [[1, 'x " y'], [2, "z"]]),
        ('a, b\n1, "x, y"\n2, "z"\n', [[1, "x, y"], [2, "z"]]),
        ('a,b\n1,"C:\\dir, \\"x\\""\n2,"z"\n', [[1, 'C:\\dir, "x"'], [2, "z"]]),
        ('a,b\n1,"x\n\\"y\\" z"\n2,C:\\dir\n', [[1, 'x\n"y" z'], [2, "C:\\dir"]]),
        ('a,b\n1,"ends with \\\\"\n2,"say \\"hi\\" now"\n', [[1, "ends with \\"], [2, 'say "hi" now']]),
    ],
)
def test_escapes_and_spaces_before_quotes(tables: TableStore, text: str, rows: list[list[object]]) -> None:
    assert [list(row.values()) for row in rows_of(tables, imported(tables, text).tables["data"])] == rows
