"""Row hash h1: the values it must not tell apart, and the ones it must."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioned_tables.hashing.row_hash import RowHashes, hash_rows
from versioned_tables.schema.columns import Column, TableSchema


def hashes(array: pa.Array, type_: str = "string") -> list[tuple[int, int]]:
    found = hash_rows(pa.table({"c": array}), TableSchema((Column("c", "c", type_),)))
    return list(zip(found.low.tolist(), found.high.tolist(), strict=True))


def test_the_specification_has_not_moved() -> None:
    table = pa.table(
        {
            "a": pa.array([1, -5, None]),
            "b": pa.array(["", "héllo wörld, again", None]),
            "c": pa.array([0.5, float("nan"), None]),
            "d": pa.array([True, False, None]),
            "e": pa.array([0, 19000, None], pa.date32()),
            "f": pa.array([0, 1_700_000_000_123_456, None], pa.timestamp("us")),
            "g": pa.array([Decimal("1.50"), Decimal(-7), None], pa.decimal128(10, 2)),
        }
    )
    schema = TableSchema(tuple(Column(name, name, "string") for name in table.schema.names), ("a",))

    found = hash_rows(table, schema)

    assert [found.low.tolist(), found.high.tolist(), found.key.tolist()] == H1


H1 = [
    [7117754393010988783, 16105511418947908176, 0],
    [3733520604507139915, 299450122594596458, 0],
    [11376930284512101903, 16128833283427718059, 0],
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([7]), pa.array([7.0])),
        (pa.array([7]), pa.array([Decimal("7.00")], pa.decimal128(10, 2))),
        (pa.array([0.0]), pa.array([-0.0])),
        (pa.array([float("nan")]), pa.array([-float("nan")])),
        (pa.array([Decimal("1.5")], pa.decimal128(5, 1)), pa.array([Decimal("1.500")], pa.decimal128(9, 3))),
        (pa.array([1_000], pa.timestamp("ms")), pa.array([1_000_000], pa.timestamp("us"))),
        (pa.array([1_000_000], pa.timestamp("us")), pa.array([1_000_000], pa.timestamp("us", "UTC"))),
        (pa.array(["x"]), pa.array(["x"], pa.large_string())),
        (pa.array(["x"]), pa.array(["x"]).dictionary_encode()),
        (pa.array([2**63 - 1]), pa.array([2**63 - 1], pa.uint64())),
        (pa.array([2**63 - 1]), pa.array([Decimal(2**63 - 1)], pa.decimal128(20, 0))),
        (pa.array([-(2**63)]), pa.array([-(2.0**63)])),
    ],
)
def test_equal_values_of_other_types_hash_alike(one: pa.Array, other: pa.Array) -> None:
    assert hashes(one) == hashes(other)


def test_values_that_differ_hash_apart() -> None:
    arrays = [
        pa.array([0, 1, -1, 256, 2**62]),
        pa.array([0.5, 1.5, float("inf"), -float("inf"), float("nan"), 1e300]),
        pa.array([True, False]),
        pa.array(["", "0", "1", "a", "aa", "a\x00", "12345678", "123456780", "x" * 128, "x" * 129, "x" * 130]),
        pa.array([0, 1], pa.date32()),
        pa.array([0, 1], pa.timestamp("us")),
        pa.array([0, 1], pa.time64("us")),
        pa.array([b"", b"a"]),
        pa.array([Decimal("0.1"), Decimal("0.2")], pa.decimal128(5, 1)),
        pa.array([None], pa.int64()),
    ]

    every = [pair for array in arrays for pair in hashes(array)]

    assert len(set(every)) == len(every)
    assert len({low for low, _ in every}) == len(every)


def test_null_is_not_empty_text_and_adds_nothing() -> None:
    assert hashes(pa.array([None], pa.string())) == [(0, 0)]
    assert hashes(pa.array([""])) != [(0, 0)]


def test_columns_count_by_id_and_not_by_name_or_place() -> None:
    data = {"x": pa.array([1, 2]), "y": pa.array(["a", None])}
    one = TableSchema((Column("x", "first", "int"), Column("y", "second", "string")))
    other = TableSchema(
        (Column("y", "renamed", "string"), Column("z", "new and null", "int"), Column("x", "first", "int"))
    )

    assert hash_rows(pa.table(data), one).low.tolist() == hash_rows(pa.table(data), other).low.tolist()


def test_the_same_values_in_swapped_columns_hash_apart() -> None:
    schema = TableSchema((Column("x", "x", "int"), Column("y", "y", "int")))

    found = hash_rows(pa.table({"x": [1, 2], "y": [2, 1]}), schema)

    assert found.low[0] != found.low[1]


@given(st.lists(st.text(max_size=80), min_size=1, max_size=8), st.integers(0, 10))
def test_text_hashes_do_not_depend_on_the_neighbours(values: list[str], start: int) -> None:
    whole = hashes(pa.array(values, pa.string()))

    sliced = hashes(pa.array(values, pa.string()).slice(start))
    single = [hashes(pa.array([value], pa.string()))[0] for value in values]

    assert whole[start:] == sliced
    assert whole == single


def test_sidecar_bytes_come_back() -> None:
    found = hash_rows(pa.table({"c": [1, 2, 3]}), TableSchema((Column("c", "c", "int"),)))

    again = RowHashes.from_bytes(found.to_bytes())

    assert np.array_equal(again.low, found.low)
    assert np.array_equal(again.high, found.high)
    assert np.array_equal(again.key, found.key)
