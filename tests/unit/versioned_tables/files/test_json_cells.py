"""JSON values as columns: every digit is kept, whatever the column becomes."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.tables import column, imported, rows_of, store
from versioned_tables.files.json_cells import join_kinds, json_text, read_json, read_spelled
from versioned_tables.storage.table_store import TableStore

KINDS = ["nothing", "bool", "int", "big", "float", "named", "text", "text:date", "text:string", "json", "string"]


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


@pytest.mark.parametrize(
    ("values", "type_", "shown"),
    [
        (["1", "2"], "int", [1, 2]),
        (["9007199254740993"], "int", [9007199254740993]),
        (["9007199254740993", "1.5"], "string", ["9007199254740993", "1.5"]),
        (["9223372036854775808", "1"], "string", ["9223372036854775808", "1"]),
        (["0.12345678901234567890"], "string", ["0.12345678901234567890"]),
        (["0.12345678901234567890", "1.5"], "string", ["0.12345678901234567890", "1.5"]),
        (["0.30000000000000004", "1"], "float", [0.30000000000000004, 1.0]),
        (["1e400"], "string", ["1e400"]),
        (['"NaN"', "1", '"-Infinity"', "null"], "float", ["NaN", 1.0, "-Infinity", None]),
        (['"NaN"'], "string", ["NaN"]),
        (['"NaN"', '"x"'], "string", ["NaN", "x"]),
        (['"3"', '"4"'], "string", ["3", "4"]),
        (['"2024-01-31"', "null"], "date", ["2024-01-31", None]),
        (["true", "1"], "string", ["true", "1"]),
        (
            ['{"a":0.12345678901234567890,"b":[18446744073709551616]}'],
            "json",
            ['{"a":0.12345678901234567890,"b":[18446744073709551616]}'],
        ),
        (["[1,2]", '"x"'], "string", ["[1,2]", "x"]),
        (["1.10", '"1.2.3"'], "string", ["1.10", "1.2.3"]),
        (["1e400", "1E2", "0.00001"], "string", ["1e400", "1E2", "0.00001"]),
        (["1.10", "1E2"], "float", [1.1, 100.0]),
        (['{"a":1.10}', "[1e2,0.000010]"], "json", ['{"a":1.10}', "[1e2,0.000010]"]),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_type_of_json_values(
    tables: TableStore, values: list[str], type_: str, shown: list[object], *, turned: bool
) -> None:
    if turned:
        values, shown = values[::-1], shown[::-1]
    lines = "".join(f'{{"v":{value}}}\n' for value in values)

    manifest = imported(tables, lines, name="x.jsonl").tables["data"]

    assert manifest.schema.columns[0].type == type_
    assert column(rows_of(tables, manifest), "v") == shown


@given(st.sampled_from(KINDS), st.sampled_from(KINDS))
def test_evidence_joins_in_any_order(one: str, other: str) -> None:
    assert join_kinds(one, other) == join_kinds(other, one)
    assert join_kinds(one, one) == one


@given(
    st.recursive(st.decimals(allow_nan=False, allow_infinity=False) | st.integers(), lambda v: st.lists(v, max_size=3))
)
def test_a_number_comes_back_as_it_was_written(value: object) -> None:
    raw = _written(value)

    again = json.loads(json_text(read_json(raw.encode())), parse_float=Decimal)

    assert again == json.loads(raw, parse_float=Decimal)


def _written(value: object) -> str:
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return str(value)


@pytest.mark.parametrize("raw", [b"NaN", b'{"a":12345678901234567890,"b":Infinity}', b'{"a":"\\ud800","b":1e400}'])
def test_what_is_no_json(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the reader's own words
        read_json(raw)


@given(st.from_regex(r"(0|[1-9][0-9]{0,18})([.][0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_a_number_in_text_is_written_as_in_the_file(text: str) -> None:
    assert json_text(read_spelled(text.encode())) == text


@pytest.mark.parametrize("text", ["NaN", "[1.10,]", "01.10", '"\\ud800 1.10"', "[" * 100_000 + "1.10"])
def test_what_is_no_json_is_none_however_numbers_are_read(text: str) -> None:
    for read in (read_json, read_spelled):
        with pytest.raises(ValueError, match=r"."):
            read(text.encode())
