"""One text per type: the table of FORMAT.md, value by value."""

import json
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioned_tables.schema.texts import day_text, interval_text, is_json, plain_values, text_of

NAN = float("nan")
DAY = 86_400 * 10**6


def at(kind: pa.DataType, *values: object) -> pa.Array:
    """Values by what they are stored as, also those that Python has no object for."""
    return pa.array(values, pa.int64()).cast(kind) if pa.types.is_duration(kind) else pa.array(values, kind)


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([True, None]), ["true", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([1.0, 0.1, 1e22, -0.0]), ["1.0", "0.1", "1e+22", "-0.0"]),
        (
            pa.array([NAN, float("inf"), -float("inf"), None]),
            ["NaN", "Infinity", "-Infinity", None],
        ),
        (pa.array([1.5, NAN], pa.float16()), ["1.5", "NaN"]),
        (
            pa.array([Decimal("0E-8"), Decimal("1E-8"), Decimal("-1E-7"), Decimal("1.5")], pa.decimal128(18, 8)),
            ["0.00000000", "0.00000001", "-0.00000010", "1.50000000"],
        ),
        (pa.array([Decimal("1E-40")], pa.decimal256(70, 40)), ["0." + "0" * 39 + "1"]),
        (pa.array([b"\x01\xff", b""]), ["01ff", ""]),
        (pa.array([b"\x01\xff"], pa.binary(2)), ["01ff"]),
        (pa.array([b"\x01\xff"], pa.binary_view()), ["01ff"]),
        (pa.array([UUID(int=5).bytes], pa.uuid()), ["00000000-0000-0000-0000-000000000005"]),
        (pa.array(["b", "a", None, "b"]).dictionary_encode(), ["b", "a", None, "b"]),
        (pa.array(["x"], pa.large_string()), ["x"]),
        (pa.array(["x"], pa.string_view()), ["x"]),
        (pa.nulls(1), [None]),
        (pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["a", "b"])), ["a", "a", "b"]),
    ],
)
def test_every_value_has_one_text(array: pa.Array, texts: list[str | None]) -> None:
    assert text_of(array).to_pylist() == texts
    assert text_of(pa.chunked_array([array])).to_pylist() == texts


@pytest.mark.parametrize(
    ("kind", "count", "text"),
    [
        (pa.date32(), 0, "1970-01-01"),
        (pa.date32(), -719_163, "0000-12-31"),
        (pa.date32(), 2_932_897, "+10000-01-01"),
        (pa.date32(), -(2**31), "-5877641-06-23"),
        (pa.time32("s"), 3600, "01:00:00"),
        (pa.time32("ms"), 3600_500, "01:00:00.5"),
        (pa.time64("us"), 0, "00:00:00"),
        (pa.time64("us"), -1, "-PT0.000001S"),
        (pa.time64("us"), DAY, "P1D"),
        (pa.time64("ns"), 1, "00:00:00.000000001"),
        (pa.timestamp("s"), 1, "1970-01-01T00:00:01"),
        (pa.timestamp("ns"), 1, "1970-01-01T00:00:00.000000001"),
        (pa.timestamp("us", "Europe/Berlin"), 0, "1970-01-01T00:00:00Z"),
        (pa.timestamp("us"), -62_135_596_800_000_001, "0000-12-31T23:59:59.999999"),
        (pa.timestamp("us"), 253_402_300_800_000_000, "+10000-01-01T00:00:00"),
        (pa.timestamp("us", "UTC"), 2**63 - 1, "+294247-01-10T04:00:54.775807Z"),
        (pa.timestamp("s"), -(2**63), "-292277022657-01-27T08:29:52"),
        (pa.duration("us"), 90_000_000, "PT1M30S"),
        (pa.duration("us"), DAY + 3600 * 10**6, "P1DT1H"),
        (pa.duration("ns"), -1, "-PT0.000000001S"),
        (pa.duration("s"), 0, "PT0S"),
    ],
)
def test_dates_and_times_are_iso_8601_however_far(kind: pa.DataType, count: int, text: str) -> None:
    width = pa.int32() if kind.bit_width == 32 else pa.int64()

    assert text_of(pa.array([count, None], width).view(kind)).to_pylist() == [text, None]


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((14, 3, 3_661 * 10**9), "P1Y2M3DT1H1M1S"),
        ((0, 0, 0), "PT0S"),
        ((-1, -1, -(10**9)), "-P1M1DT1S"),
        ((-14, 3, -5), "P-1Y-2M3DT-0.000000005S"),
        ((0, 0, 1_500_000_000), "PT1.5S"),
    ],
)
def test_calendar_intervals_are_iso_8601(parts: tuple[int, int, int], text: str) -> None:
    assert interval_text(*parts) == text
    assert text_of(pa.array([pa.MonthDayNano(parts)])).to_pylist() == [text]


def test_nested_values_are_json_with_the_same_texts() -> None:
    kind = pa.struct(
        [
            ("b", pa.binary()),
            ("d", pa.duration("us")),
            ("f", pa.float64()),
            ("n", pa.decimal128(18, 8)),
            ("t", pa.list_(pa.timestamp("ns"))),
            ("big", pa.uint64()),
        ]
    )
    values = pa.array([None, {"b": b"\x01", "f": NAN, "n": Decimal("0E-8"), "big": 2**64 - 1}], kind)

    texts = text_of(values).to_pylist()

    assert texts == [None, '{"b":"01","d":null,"f":"NaN","n":"0.00000000","t":null,"big":18446744073709551615}']
    assert text_of(values.slice(1)).to_pylist() == texts[1:]


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (
            pa.array([[1], None, [2, None]], pa.list_(pa.timestamp("ns"))),
            ['["1970-01-01T00:00:00.000000001"]', None, '["1970-01-01T00:00:00.000000002",null]'],
        ),
        (pa.array([[1, 2], None, [3, None]], pa.list_(pa.int64(), 2)), ["[1,2]", None, "[3,null]"]),
        (pa.array([[1, 2], None, [3, None]], pa.list_view(pa.int64())), ["[1,2]", None, "[3,null]"]),
        (pa.array([[1, 2], None, [3, None]], pa.large_list(pa.int64())), ["[1,2]", None, "[3,null]"]),
        (
            pa.array([[("a", 1), ("b", None)], None, []], pa.map_(pa.string(), pa.int64())),
            ['{"a":1,"b":null}', None, "{}"],
        ),
        (pa.array([[(1, "x")], None, []], pa.map_(pa.int64(), pa.string())), ['{"1":"x"}', None, "{}"]),
        (pa.array([[[1]], None, [None]], pa.list_(pa.list_(pa.int64()))), ["[[1]]", None, "[null]"]),
        (
            pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["x", "y"])]),
            ["1", '"y"'],
        ),
        (pa.DictionaryArray.from_arrays(pa.array([0, None, 0]), pa.array([[1]])), ["[1]", None, "[1]"]),
        (pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), ['{"a":1,"a_2":2}']),
    ],
)
def test_lists_maps_and_unions_are_json_also_in_slices(array: pa.Array, texts: list[str | None]) -> None:
    assert text_of(array).to_pylist() == texts
    for start in range(1, len(array)):
        assert text_of(array.slice(start)).to_pylist() == texts[start:]


def test_a_map_with_a_key_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="value 1 has a key twice"):
        text_of(pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())))


def test_numbers_and_booleans_are_json_values_and_the_rest_is_text() -> None:
    assert plain_values(pa.array([1.5, NAN, None])) == [1.5, "NaN", None]
    assert plain_values(pa.array([True, None])) == [True, None]
    assert plain_values(pa.array([Decimal("1.50")])) == ["1.50"]


@given(st.dates())
def test_days_are_the_calendar_s(day: object) -> None:
    array = pa.array([day], pa.date32())

    assert [day_text(array.view(pa.int32())[0].as_py())] == array.cast(pa.string()).to_pylist() == [str(day)]


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "", "{", "'a'", '{"a":1}x'])
def test_what_is_no_json(text: str) -> None:
    assert not is_json(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_what_is_json(value: object) -> None:
    assert is_json(json.dumps(value))
