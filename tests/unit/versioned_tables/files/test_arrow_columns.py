"""Columns of any Arrow type, as Parquet files have them: imported right, or refused with the row."""

import io
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.tables import column, imported, rows_of, store
from versioned_tables.errors import EncodingRefused, ImportRefused
from versioned_tables.read.pages import PageRequest, read_page
from versioned_tables.read.statistics import table_statistics
from versioned_tables.storage.table_store import TableStore

FAR = 2**62


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def parquet(array: pa.Array, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"x": array}), out, **options)
    return out.getvalue()


def times(kind: pa.DataType, *counts: int | None) -> pa.Array:
    return pa.array(counts, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)


def broken_texts() -> pa.Array:
    """`a`, then the byte FF, which is no UTF-8."""
    offsets = b"".join(at.to_bytes(4, "little") for at in (0, 1, 2))
    return pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(offsets), pa.py_buffer(b"a\xff")])


@pytest.mark.parametrize(
    ("array", "type_", "values"),
    [
        (pa.array([Decimal("0E-8"), None], pa.decimal128(18, 8)), "decimal(18,8)", ["0.00000000", None]),
        (pa.array([Decimal("1.5")], pa.decimal256(60, 10)), "decimal(60,10)", ["1.5000000000"]),
        (pa.array([Decimal("1.5")], pa.decimal32(6, 2)), "decimal(6,2)", ["1.50"]),
        (pa.array([UUID(int=7).bytes, None], pa.uuid()), "string", ["00000000-0000-0000-0000-000000000007", None]),
        (pa.array([[1], None], pa.list_(pa.timestamp("ns"))), "json", ['["1970-01-01T00:00:00.000000001"]', None]),
        (pa.array([[FAR]], pa.list_(pa.timestamp("us"))), "json", ['["+148108-07-06T14:00:27.387904"]']),
        (pa.array([{"b": b"\x01", "d": timedelta(days=1, hours=1)}]), "json", ['{"b":"01","d":"P1DT1H"}']),
        (pa.array([{"f": float("nan")}]), "json", ['{"f":"NaN"}']),
        (pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())), "json", ['{"a":1}', None]),
        (pa.array([timedelta(seconds=90)]), "string", ["PT1M30S"]),
        (times(pa.timestamp("us"), FAR, None), "string", ["+148108-07-06T14:00:27.387904", None]),
        (times(pa.timestamp("us", "UTC"), FAR), "string", ["+148108-07-06T14:00:27.387904Z"]),
        (times(pa.timestamp("us"), 0), "timestamp", ["1970-01-01T00:00:00"]),
        (times(pa.timestamp("ns"), 1000), "timestamp", ["1970-01-01T00:00:00.000001"]),
        (times(pa.date32(), 2_932_897), "string", ["+10000-01-01"]),
        (times(pa.date32(), 2_932_896, -719_162), "date", ["9999-12-31", "0001-01-01"]),
        (times(pa.date64(), 86_400_000), "date", ["1970-01-02"]),
        (times(pa.time64("us"), -1), "string", ["-PT0.000001S"]),
        (times(pa.time64("ns"), 1), "string", ["00:00:00.000000001"]),
        (times(pa.time32("ms"), 1500), "time", ["00:00:01.5"]),
        (pa.array(["a", None, "a"]).dictionary_encode(), "string", ["a", None, "a"]),
        (pa.array([1, 0, None], pa.int8()).cast(pa.bool8()), "bool", [True, False, None]),
        (pa.array(["x"], pa.string_view()), "string", ["x"]),
        (pa.array([b"x"], pa.binary_view()), "binary", ["78"]),
        (pa.array([b"xy"], pa.binary(2)), "binary", ["7879"]),
        (pa.array([1.5, float("inf")], pa.float16()), "float", [1.5, "Infinity"]),
    ],
)
@pytest.mark.parametrize("statistics", [True, False])
def test_every_type_of_parquet_is_imported_and_read(
    tables: TableStore, array: pa.Array, type_: str, values: list[object], *, statistics: bool
) -> None:
    manifest = imported(tables, parquet(array, write_statistics=statistics), name="x.parquet").tables["data"]

    assert manifest.schema.columns[0].type == type_
    assert column(rows_of(tables, manifest), "x") == values
    assert len(read_page(tables, manifest, PageRequest()).rows) == len(values)
    assert table_statistics(tables, manifest)["row_count"] == len(values)


def test_times_of_96_bits_before_1677_are_not_wrapped(tables: TableStore) -> None:
    moments = pa.array([datetime.fromisoformat("1600-01-01")], pa.timestamp("us"))
    data = parquet(moments, use_deprecated_int96_timestamps=True)

    manifest = imported(tables, data, name="x.parquet").tables["data"]

    assert column(rows_of(tables, manifest), "x") == ["1600-01-01T00:00:00"]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (broken_texts(), "Row 2, column 'x': the text is not UTF-8; it begins with the bytes ff"),
        (
            pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), broken_texts()),
            "Row 2, column 'x': a text in it is not UTF-8",
        ),
        (
            pa.array([None, [("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())),
            "Row 2, column 'x': a map has a key twice",
        ),
        (pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", "NaN"])), "Row 2, column 'x': 'NaN' is not JSON"),
    ],
)
def test_what_no_reader_could_show_is_refused_with_the_row(tables: TableStore, array: pa.Array, message: str) -> None:
    with pytest.raises(ImportRefused, match=message):
        imported(tables, parquet(array), name="x.parquet")


def test_a_dictionary_with_a_text_that_is_not_utf_8_is_refused_with_its_column_and_rows(tables: TableStore) -> None:
    kind = pa.dictionary(pa.int64(), pa.string())
    good = pa.array(["a", "b"]).dictionary_encode().cast(kind)
    bad = pa.DictionaryArray.from_arrays(pa.array([0, 1]), broken_texts())
    out = io.BytesIO()
    with pq.ParquetWriter(out, pa.schema([("n", pa.int64()), ("x", kind)])) as writer:
        for array in (good, bad):
            writer.write_table(pa.table({"n": [1, 2], "x": array}), row_group_size=2)

    with pytest.raises(EncodingRefused, match="Column 'x': a text of the dictionary of rows 3 to 4 is not UTF-8") as no:
        imported(tables, out.getvalue(), name="x.parquet")

    assert (no.value.facts["row"], no.value.facts["column"]) == (3, "x")
