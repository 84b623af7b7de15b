"""Every bad row is listed with its number and the line of the file, and rows are counted once."""

from pathlib import Path

import pytest

from tests.builders.tables import imported, store
from versioned_tables.errors import ImportRefused, TooManyRejectedRows
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
