"""A column of every type made one of every other type: every value fits, or the change is refused; and what is
committed can be read by every reader.
"""

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import column, imported, rows_of, store, version
from versioned_tables.compare.diff import difference, difference_page
from versioned_tables.errors import SchemaMismatch
from versioned_tables.exports import ExportOptions, export_table
from versioned_tables.files.options import ImportOptions
from versioned_tables.format.manifest import Manifest
from versioned_tables.read.pages import PageRequest, read_page
from versioned_tables.read.statistics import table_statistics
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import EvolutionRules, make_schema
from versioned_tables.schema.conversion import converted, misfits
from versioned_tables.schema.texts import plain_values
from versioned_tables.sql.running import run_sql
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import RowOperation, apply_operations, change_schema

VALUES: dict[str, list[object]] = {
    "bool": [True, False],
    "int": [0, 1, 9, -7, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 123456789],
    "float": [0.0, -0.0, 1.0, 2.5, 0.1, -1e-7, 1e22, 9.0e15, float("nan"), float("inf"), float("-inf"), 2.0**63],
    "string": ["", "x", "1", "007", "2.5", "true", "2024-01-31", "2024-01-31T10:00:00", "0aff", '{"a":1}', "NaN"],
    "date": [date(1, 1, 1), date(1969, 12, 31), date(2024, 1, 31), date(9999, 12, 31)],
    "time": [time(0), time(23, 59, 59, 999999)],
    "timestamp": [datetime.fromisoformat(text) for text in ("0001-01-01", "2024-01-31", "2024-01-31T01:02:03.000004")],
    "timestamptz": [datetime(1, 1, 1, tzinfo=UTC), datetime(2024, 1, 31, 1, tzinfo=UTC)],
    "binary": [b"", b"\x00\xff"],
    "json": ['{"a":1}', "1", "null", '"x"'],
    "decimal(10,2)": [Decimal("0.00"), Decimal("9.99"), Decimal("-12345678.90"), Decimal("1.50")],
    "decimal(10,4)": [Decimal("0.0000"), Decimal("2.5050"), Decimal("1.5000"), Decimal("-999999.9999")],
    "decimal(18,8)": [Decimal("0E-8"), Decimal("1E-8"), Decimal("1.5")],
    "decimal(38,0)": [Decimal(10**37), Decimal(7), Decimal(2**53 + 1)],
    "decimal(60,10)": [Decimal("0.1"), Decimal(10**45), Decimal(1)],
}
PAIRS = [(old, new) for old, new in product(VALUES, VALUES) if old != new]


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def array(values: list[object], type_: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, to_arrow(type_))])


def split(old: str, new: str) -> tuple[list[object], list[object]]:
    """Values of a type that fit another one, null among them, and those that do not."""
    values = [*VALUES[old], None]
    bad = misfits(array(values, old), old, new)
    return [v for at, v in enumerate(values) if at not in bad], [values[at] for at in bad]


def keyed(tables: TableStore, values: list[object], type_: str, base: Manifest | None = None) -> Manifest:
    schema = make_schema([("id", "int"), ("v", type_)], ["id"])
    return version(tables, [{"id": at, "v": value} for at, value in enumerate(values)], schema, base)


def read_by_every_reader(tables: TableStore, manifest: Manifest, before: Manifest | None = None) -> list[object]:
    """The values as pages show them; every other reader has been through the table, and agrees."""
    shown = [row["data"]["v"] for row in read_page(tables, manifest, PageRequest(limit=1000)).rows]  # type: ignore[index]
    statistics = table_statistics(tables, manifest)
    assert statistics["row_count"] == len(shown)
    for base in (before, Manifest(manifest.schema)):
        if base is not None:
            found = difference(tables, base, manifest)
            assert len(difference_page(tables, found, 0, 1000)) == len(found)
    for kind in ("csv", "jsonl", "parquet", "excel"):
        out = io.BytesIO()
        export_table(tables, manifest, ExportOptions(kind), out)
        assert out.getvalue()
        if kind != "parquet":
            continue
        again = imported(tables, out.getvalue(), ImportOptions(key=("id",)), name="x.parquet").tables["data"]
        texts = [None if value is None else str(value) for value in shown]
        assert [None if v is None else str(v) for v in column(rows_of(tables, again), "v")] == texts
    return shown


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_a_column_is_retyped_when_every_value_fits_and_refused_with_the_rows_otherwise(
    tables: TableStore, old: str, new: str
) -> None:
    good, bad = split(old, new)
    base = keyed(tables, good, old)

    head = change_schema(tables, base, types={"v": new})

    expected = converted(array(good, old), old, new)
    assert expected is not None
    assert read_by_every_reader(tables, head, base) == plain_values(expected)
    if bad:
        base = keyed(tables, [*good, *bad], old)
        with pytest.raises(SchemaMismatch) as refused:
            change_schema(tables, base, types={"v": new})
        assert [item["row"] for item in refused.value.facts["rows"]] == [
            len(good) + at for at in range(1, len(bad) + 1)
        ]


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_rows_that_are_gone_do_not_hinder_a_change_of_type(tables: TableStore, old: str, new: str) -> None:
    good, bad = split(old, new)
    base = keyed(tables, [*good, *bad], old)
    gone = [RowOperation("delete", key={"id": len(good) + at}) for at in range(len(bad))]
    cleared = apply_operations(tables, base, gone) if gone else base

    head = change_schema(tables, cleared, types={"v": new})

    expected = converted(array(good, old), old, new)
    assert expected is not None
    assert read_by_every_reader(tables, head, base) == plain_values(expected)


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_an_append_with_a_declared_type_fits_or_is_refused(tables: TableStore, old: str, new: str) -> None:
    good, bad = split(old, new)
    more = io.BytesIO()
    incoming = keyed(tables, [], new)
    incoming = version(tables, [{"id": 100, "v": VALUES[new][0]}], incoming.schema)
    export_table(tables, incoming, ExportOptions("parquet"), more)
    options = ImportOptions(
        mode="append", format="parquet", declared={"v": new}, evolution=EvolutionRules(change_types=True)
    )

    for values in (good, [*good, *bad]):
        base = keyed(tables, values, old)
        try:
            head = imported(tables, more.getvalue(), options, name="x.parquet", bases={"data": base}).tables["data"]
        except SchemaMismatch:
            assert values != good or not good
            continue
        assert not bad or values == good
        shown = read_by_every_reader(tables, head, base)
        expected = converted(array(good, old), old, new)
        assert expected is not None
        assert shown == [*plain_values(expected), *plain_values(array([VALUES[new][0]], new))]
        assert head.change is not None
        assert (head.change.inserted, head.change.updated, head.change.deleted) == (1, 0, 0)


@pytest.mark.slow
def test_sql_reads_every_retyped_table(tables: TableStore) -> None:
    heads = {}
    for at, (old, new) in enumerate(PAIRS):
        base = keyed(tables, split(old, new)[0], old)
        heads[f"t{at}"] = change_schema(tables, base, types={"v": new})

    for names in (list(heads)[at : at + 40] for at in range(0, len(heads), 40)):
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*), count(v::VARCHAR) FROM {name}" for name in names)
        found = {row[0]: row[1:] for row in run_sql(tables, {name: heads[name] for name in names}, counts).rows}
        for name in names:
            values = column(rows_of(tables, heads[name]), "v")
            assert found[name] == [len(values), sum(value is not None for value in values)]


NUMBERS = {
    "int": st.integers(-(2**63), 2**63 - 1) | st.integers(-1000, 1000) | st.sampled_from([2**53, 2**53 + 1, 2**62]),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000).map(lambda n: n / 4),
    "decimal(10,2)": st.decimals(-(10**8) + 1, 10**8 - 1, places=2, allow_nan=False),
    "decimal(18,8)": st.decimals(-(10**10) + 1, 10**10 - 1, places=8, allow_nan=False),
    "decimal(38,0)": st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal),
}


def exact(value: object) -> Fraction:
    """A number as what it is written as."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)  # type: ignore[arg-type]


def same(one: object, other: object) -> bool:
    """Whether two numbers are written alike, or are the same to the last bit."""
    return exact(one) == exact(other) or Fraction(one) == Fraction(other)  # type: ignore[arg-type]


def fits(value: object, new: str) -> bool:
    number = exact(value)
    if new == "int":
        return number.denominator == 1 and -(2**63) <= number < 2**63
    if new == "float":
        try:
            return exact(float(number)) == number or Fraction(float(number)) == number
        except OverflowError:
            return False
    precision, scale = (int(part) for part in new[8:-1].split(","))
    scaled = number * 10**scale
    return scaled.denominator == 1 and abs(scaled) < 10**precision


@settings(max_examples=examples(300), deadline=None)
@given(st.data(), st.sampled_from(list(NUMBERS)), st.sampled_from(list(NUMBERS)))
def test_a_number_fits_when_it_is_the_same_number(data: st.DataObject, old: str, new: str) -> None:
    values = data.draw(st.lists(NUMBERS[old], min_size=1, max_size=5))

    found = converted(array(values, old), old, new)

    assert (found is not None) == all(fits(value, new) for value in values)
    if found is not None:
        assert all(same(one, other) for one, other in zip(found.to_pylist(), values, strict=True))
