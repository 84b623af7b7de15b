"""JSON lines read by Arrow in blocks are, to the last digit, what they are line by line."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from versioned_tables.errors import ImportRefused
from versioned_tables.files import json_values
from versioned_tables.files.encoding import Encoding
from versioned_tables.files.json_blocks import read_block
from versioned_tables.files.json_values import Document, whole_lines
from versioned_tables.files.options import ImportOptions
from versioned_tables.imports import json_tables
from versioned_tables.imports.json_tables import json_table

NUMBERS = [
    "0", "-0", "-0.0", "1", "17", "1.5", "1.10", "2.0", "1e5", "1E5", "-1e-7", "1e400", "1e-400", "5e-324", "00", "1.",
    "9007199254740991", "9007199254740992", "9007199254740993", "9223372036854775807", "9223372036854775808",
    "0.1", "0.30000000000000004", "0.1000000000000000055", "0.1000000000000000055511151231257827",
    "123456789.123456789", "1234567890.12345", "12345678901234567890.5", "100000000000000000000000",
    "1.7976931348623157e308", "NaN", "Infinity",
]  # fmt: skip
TEXTS = [
    '"a"', '"0042"', '"NaN"', '"-Infinity"', '""', '"2024-01-02"', '"2024-01-02T03:04:05"', '"2024-01-02T03:04:05Z"',
    '"x: 1e999 :123456789012345678"', '"\\u0000"', '"\\ud83d\\ude00"', '"\\udc00"', '"Núñez"', '"{\\n"', '"\\"}"',
]  # fmt: skip
OTHERS = ["null", "true", "false", "{}", '{"x": 1}', "[1, 2.50]", "[]"]
UTF8 = Encoding("utf-8", 0, "")
ODD_LINES = [
    "",
    " ",
    "[1]",
    "7",
    "{",
    '{"a": 1} {"a": 2}',
    '{"a": 1, "a": "x"}',
    '  {"a": 3}',
    "null",
    '{"a": 1},',
    "{}",
]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Lines of which most are alike; some columns, and some lines, are not."""
    kinds = [draw(st.sampled_from([NUMBERS[:6], NUMBERS, TEXTS, TEXTS[5:6], OTHERS[:3], OTHERS])) for _ in "abc"]
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        if draw(st.integers(0, 30)) == 0:
            lines.append(draw(st.sampled_from(ODD_LINES)))
            continue
        members = []
        for name, kind in zip("abc", kinds, strict=True):
            values = draw(st.sampled_from([kind] * 9 + [NUMBERS + TEXTS + OTHERS]))
            if draw(st.integers(0, 9)):
                members.append(f'"{name}":{draw(st.sampled_from(["", " "]))}{draw(st.sampled_from(values))}')
        lines.append("{" + ",".join(members) + "}")
    return (draw(st.sampled_from(["\n", "\r\n"])).join(lines) + draw(st.sampled_from(["", "\n"]))).encode("utf-8")


def read(data: bytes, size: int) -> object:
    """All that a table says: columns, values as Arrow has them, rejected rows and where rows stand; or the refusal."""

    def blocks() -> Iterator[bytes]:
        return iter([data[at : at + size] for at in range(0, len(data), size)])

    try:
        table = json_table(blocks, Document("lines"), UTF8, ImportOptions(max_rejected=3))
        twice = [pa.concat_tables(list(table.read())).combine_chunks() if table.columns else None for _ in range(2)]
    except (ImportRefused, pa.ArrowInvalid) as error:
        return type(error), str(error)
    assert repr(twice[0].to_pylist()) == repr(twice[1].to_pylist())  # NaN equals nothing
    numbers = list(range(1, twice[0].num_rows + 1))
    return (
        table.columns,
        twice[0].schema,
        repr(twice[0].to_pylist()),
        table.rejected,
        table.places(numbers),
        table.notes,
    )


@settings(max_examples=400, deadline=None)
@given(files(), st.integers(1, 300), st.integers(1, 80))
def test_blocks_and_lines_are_the_same_table(data: bytes, size: int, first: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_values, "_FIRST_LINES", first)
        by_blocks = read(data, size)
        patch.setattr(json_tables, "read_block", lambda *_: None)
        by_lines = read(data, size)

    assert by_blocks == by_lines


@given(files(), st.integers(1, 300), st.integers(1, 80))
def test_whole_lines_are_the_file(data: bytes, size: int, first: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_values, "_FIRST_LINES", first)
        blocks = list(whole_lines(iter([data[at : at + size] for at in range(0, len(data), size)])))

    assert b"".join(blocks) == data
    assert all(block.endswith(b"\n") for block in blocks[:-1])


SCHEMA = pa.schema([("a", pa.float64()), ("b", pa.string()), ("c", pa.int64())])


def test_flat_objects_with_usual_numbers_are_read_by_arrow() -> None:
    rows = [{"a": 0.30000000000000004, "b": "😀", "c": 9223372036854775807}, {"a": -1e-05, "b": None, "c": 0}]

    table = read_block("".join(json.dumps(row) + "\n" for row in rows).encode(), SCHEMA)

    assert table is not None
    assert table.to_pylist() == rows


@pytest.mark.parametrize(
    "line",
    [
        '{"a":-0}', '{"a":1e400}', '{"a":1e-400}', '{"a":0.1000000000000000055}', '{"a":9007199254740993}', '{"c":1.0}',
        '{"a":1,"a":2}', '{"d":1}', '{"b":1}', '{"b":"\\ud800"}', '{"b":"x"}{"b":"y"}', '{"b":"x"', '{"b":{}}', "[1]",
    ],
)  # fmt: skip
def test_what_arrow_would_read_otherwise_is_left_to_lines(line: str) -> None:
    assert read_block(f'{{"b":"first"}}\n{line}\n'.encode(), SCHEMA) is None
    assert read_block(f"{line}\n".encode(), SCHEMA) is None


def test_what_is_not_kept_for_want_of_space_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(b'{"a":%d,"b":"x %d"}\n' % (at, at) for at in range(2000))
    kept = read(data, 512)
    monkeypatch.setattr(json_tables, "_MOST_KEPT", 1)

    assert read(data, 512) == kept
