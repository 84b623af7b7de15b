"""JSON as people lay it out: lines, arrays, documents, wrappers; content decides and the name only hints."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import imported, rows_of, store
from versioned_tables.errors import ArchiveRefused, EncodingRefused, ImportRefused, TooManyRejectedRows
from versioned_tables.files.json_values import json_document, json_values
from versioned_tables.files.options import ImportOptions
from versioned_tables.storage.table_store import TableStore

ROWS = [{"a": 1, "b": "x, [y]"}, {"a": 2, "b": 'q"}'}]


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


LAYOUTS = {
    "an array": json.dumps(ROWS),
    "a pretty array": json.dumps(ROWS, indent=2),
    "an array of a line each": "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
    "lines": "\n".join(map(json.dumps, ROWS)),
    "pretty objects that follow each other": "\n".join(json.dumps(row, indent=1) for row in ROWS),
    "objects on one line": "".join(map(json.dumps, ROWS)),
    "a wrapper": json.dumps({"data": ROWS}),
    "a pretty wrapper": json.dumps({"total": 2, "results": ROWS, "next": None}, indent=2),
    "the only member": json.dumps({"people": ROWS}),
}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "a.txt", "noname"])
@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_every_layout_gives_the_same_rows(tables: TableStore, layout: str, name: str) -> None:
    assert rows_of(tables, imported(tables, LAYOUTS[layout], name=name).tables["data"]) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_json_in_other_encodings(tables: TableStore, encoding: str) -> None:
    found = imported(tables, '[{"name": "Núñez"}, {"name": "x"}]'.encode(encoding), name="a.json")

    assert rows_of(tables, found.tables["data"]) == [{"name": "Núñez"}, {"name": "x"}]


def test_a_byte_that_is_not_utf_8_in_json_that_is_otherwise_names_its_line(tables: TableStore) -> None:
    with pytest.raises(EncodingRefused, match="Row 2, line 2: byte 0xE9 is not UTF-8"):
        imported(tables, '{"n":"Zoë"}\n'.encode() + b'{"n":"caf\xe9"}\n', name="a.jsonl")


def test_one_object_is_a_table_of_one_row(tables: TableStore) -> None:
    found = imported(tables, json.dumps({"id": 1, "tags": [{"k": 1}, {"k": 2}]}, indent=2), name="a.json")

    assert [row["id"] for row in rows_of(tables, found.tables["data"])] == [1]
    assert "one JSON object" in found.report.tables[0].notes[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[1, 2, 3]", "a number, not a JSON object"),
        ('["a", "b"]', "a string, not a JSON object"),
        ('[["a", "b"], [1, 2]]', "an array, not a JSON object"),
        ("42", "a number, not a JSON object"),
        ('"text"', "a string, not a JSON object"),
        ("null", "null, not a JSON object"),
        ("[]", "no JSON object"),
        ("{}", "no JSON object"),
        ('[{"a": 1}, {"a": 2}', "before its closing bracket"),
        ('[{"a": 1},, {"a": 2}]', "Line 1 is not JSON"),
        ('[{"a": 1}\n {"a": 2}]', "Line 1 is not JSON|Line 1 is not JSON:"),
        ('[{"a": 1}]\nmore', "row 1: an array, not a JSON object"),
        ('[\n{"a": 1},\n{"a": nope}\n]', "Line 3 is not JSON"),
        ('{"a": 1,\n "b": nope}\n', "not JSON"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(tables: TableStore, text: str, what: str) -> None:
    with pytest.raises(ImportRefused, match=what):
        imported(tables, text, name="a.json")


def test_elements_that_are_no_objects_are_rejected_rows(tables: TableStore) -> None:
    found = imported(tables, '[{"a": 1},\n 7,\n{"a": 2}]', ImportOptions(max_rejected=1), name="a.json")

    assert [row["a"] for row in rows_of(tables, found.tables["data"])] == [1, 2]
    assert [(bad.row, bad.line) for bad in found.report.tables[0].rejected] == [(2, 2)]


def test_all_bad_lines_are_listed_with_row_and_line(tables: TableStore) -> None:
    with pytest.raises(TooManyRejectedRows) as refused:
        imported(tables, '{"a":1}\n\nx\n[1]\n{"a":2}\n{"a"\n', name="a.jsonl")

    assert [(bad["row"], bad["line"]) for bad in refused.value.facts["rejected"]] == [(2, 3), (3, 4), (5, 6)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("id,name\n1,a\n", ["id", "name"]),
        ("1,2\n3,4\n", ["column_1", "column_2"]),
        ("name\nx\n", ["name"]),
        ("[id],[name]\n1,2\n", ["[id]", "[name]"]),
        ('{"a": 1},x\n{"a": 2},y\n', None),
    ],
)
def test_csv_under_the_name_of_json_is_csv(tables: TableStore, text: str, names: list[str] | None) -> None:
    found = imported(tables, text, name="a.json")

    assert found.report.format == "csv"
    assert names is None or found.tables["data"].schema.names == names
    assert "the content is csv" in found.report.notes[0]


def test_a_compressed_file_inside_of_a_compressed_file_is_refused(tables: TableStore) -> None:
    with pytest.raises(ArchiveRefused, match="a gzip file inside"):
        imported(tables, gzip.compress(gzip.compress(b"a,b\n1,2\n")), name="a.csv.gz")


def test_csv_under_the_name_of_a_workbook_is_csv(tables: TableStore) -> None:
    found = imported(tables, "a,b\n1,2\n", name="a.xlsx")

    assert found.tables["data"].rows == 1
    assert "the content is csv" in found.report.notes[0]


def test_two_members_of_one_name_the_last_counts(tables: TableStore) -> None:
    assert rows_of(tables, imported(tables, '[{"a":1,"a":2}]', name="a.json").tables["data"]) == [{"a": 2}]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text('ab"\\[]{},:\n é', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"\\,]', max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(_VALUES, max_size=6), st.sampled_from([None, 1]), st.integers(1, 9), st.booleans())
def test_values_are_cut_exactly_wherever_blocks_end(
    values: list[Any], indent: int | None, size: int, ascii_only: bool
) -> None:
    text = json.dumps([{"v": value} for value in values], indent=indent, ensure_ascii=ascii_only)
    document = json_document(text, hinted=True, whole=True)
    data = text.encode()

    assert document is not None
    blocks = iter([data[at : at + size] for at in range(0, len(data), size)])
    found = list(json_values(blocks, document))
    assert [json.loads(raw)["v"] for _, raw in found] == values
    lines = text.split("\n")
    assert all(lines[line - 1].lstrip(" [").startswith("{") for line, _ in found)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[{"a":1}]x', "a.json"),
        ('[{"a":1},{"a":2}];', "a.csv"),
        ("[1] 2", "a.json"),
        ('{"a":1,"b":2},\n{"a":3,"b":4}\n', "a.json"),
        ('{"a":1,"b":2},\n{"a":3,"b":4},\n', "a.csv"),
        ('{"a":1} 5', "a.json"),
    ],
)
def test_json_with_a_fault_is_refused_and_never_read_as_csv(tables: TableStore, text: str, name: str) -> None:
    with pytest.raises((ImportRefused, TooManyRejectedRows), match="JSON"):
        imported(tables, text, name=name)


def test_a_member_without_a_name_is_a_column_with_one(tables: TableStore) -> None:
    found = imported(tables, '[{"a":1,"":"x"},{"":"y"}]', name="a.json")

    assert rows_of(tables, found.tables["data"]) == [{"a": 1, "column_2": "x"}, {"a": None, "column_2": "y"}]
    assert "Column 2 has no name and is called 'column_2'." in found.report.tables[0].notes
