"""Statistics per column: right for small tables, close for large ones, and bounded in what they read and show."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import LINES, people, store, version
from versioned_tables.format.manifest import Manifest, Pieces, Source
from versioned_tables.read.statistics import BINS, QUANTILES, _edges, table_statistics
from versioned_tables.schema.arrow_types import to_arrow
from versioned_tables.schema.columns import make_schema
from versioned_tables.schema.texts import plain_values
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore

EVERY = [
    "int",
    "float",
    "string",
    "bool",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "decimal(40,2)",
    "json",
    "binary",
]


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def by_name(statistics: dict[str, object]) -> dict[str, dict[str, Any]]:
    columns: Sequence[dict[str, Any]] = statistics["columns"]  # type: ignore[assignment]
    return {str(entry["name"]): entry for entry in columns}


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.none() | st.sampled_from(["a", "b", "", "\u00e9", "a\x00"]),
            st.none() | st.floats() | st.sampled_from([0.0, 1.5, 1.5, -1.7e308, 1.7e308]),
        ),
        max_size=60,
    )
)
def test_statistics_of_a_small_table_are_exact(
    tables: TableStore, cells: list[tuple[str | None, float | None]]
) -> None:
    manifest = version(tables, [{"name": name, "score": score} for name, score in cells], LINES)
    names = [name for name, _ in cells if name is not None]
    floats = pd.Series([score for _, score in cells if score is not None], dtype=float)
    finite = floats[np.isfinite(floats)]

    found = table_statistics(tables, manifest)

    name, score = by_name(found)["name"], by_name(found)["score"]
    assert orjson.loads(orjson.dumps(found)) == found
    assert (found["row_count"], found["rows_read"], found["sampled"]) == (len(cells), len(cells), False)
    assert (name["nulls"], name["distinct"]) == (len(cells) - len(names), len(set(names)))
    ends = [text.replace("\x00", "\ufffd") for text in (min(names), max(names))] if names else [None, None]
    assert [name["min"], name["max"]] == ends
    told = Counter(text.replace("\x00", "\ufffd") for text in names)
    assert {item["value"]: item["count"] for item in name.get("top", [])} == told
    assert (score["nulls"], score["not_finite"]) == (len(cells) - len(floats), len(floats) - len(finite))
    assert score["distinct"] == len({0.0 if value == 0 else "nan" if value != value else value for value in floats})
    assert (score["min"], score["max"]) == ((finite.min(), finite.max()) if len(finite) else (None, None))
    if len(finite):
        for q, value in zip(QUANTILES, score["quantiles"].values(), strict=True):
            assert (finite < value).mean() <= q <= (finite <= value).mean()
        edges, counts = score["histogram"]["edges"], score["histogram"]["counts"]
        assert sum(counts) == len(finite)
        assert (len(edges), edges == sorted(edges)) == (len(counts) + 1, True)
        assert len(counts) in (1, BINS)


def test_every_type_has_statistics(tables: TableStore) -> None:
    schema = make_schema([(type_, type_) for type_ in EVERY])
    row = {
        "int": 2**63 - 1,
        "float": 1.5,
        "string": "x" * 5000,
        "bool": True,
        "date": date(2024, 2, 29),
        "decimal(40,2)": Decimal("-0.01"),
        "json": "[1]",
        "binary": b"\x00",
    }
    manifest = version(tables, [row, {}, row], schema)

    found = by_name(table_statistics(tables, manifest))

    assert {name: entry["nulls"] for name, entry in found.items()} == {name: 1 if name in row else 3 for name in EVERY}
    assert (found["bool"]["min"], found["bool"]["top"]) == (True, [{"value": True, "count": 2}])
    assert (found["date"]["min"], found["date"]["quantiles"]["0.5"]) == ("2024-02-29", "2024-02-29")
    assert (found["decimal(40,2)"]["max"], found["int"]["max"]) == ("-0.01", 2**63 - 1)
    assert len(found["string"]["max"]) == len(found["string"]["top"][0]["value"]) == 201
    assert {entry["distinct"] for entry in found.values()} == {0, 1}


def test_values_of_statistics_have_the_text_of_their_type(tables: TableStore) -> None:
    rows: dict[str, list[object]] = {
        "int": [2**63 - 1, 2**63 - 2, 1],
        "timestamp": [datetime.fromisoformat(day) for day in ("2024-01-31T10", "9999-01-01", "2024-02-01")],
        "timestamptz": [datetime(2024, 1, 31, 10, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), None],
        "decimal(40,2)": [Decimal("1.50"), Decimal(10**37), Decimal(2)],
        "float": [1.5, math.nan, math.inf],
    }
    schema = make_schema([(name, name) for name in rows])
    lines = [{name: values[at] for name, values in rows.items()} for at in range(3)]

    found = by_name(table_statistics(tables, version(tables, lines, schema)))

    texts = {name: plain_values(pa.array(values, to_arrow(name))) for name, values in rows.items()}
    for name, entry in found.items():
        assert set(entry["quantiles"].values()) <= set(texts[name]), name
        assert entry["quantiles"]["0.99"] == entry["max"], name
    assert found["int"]["quantiles"]["0.5"] == 2**63 - 2
    assert found["decimal(40,2)"]["quantiles"]["0.5"] == "2.00"
    assert found["timestamp"]["histogram"]["edges"][0] == "2024-01-31T10:00:00"
    assert found["timestamptz"]["histogram"]["edges"][-1] == "9999-01-01T00:00:00Z"


def test_an_empty_table_has_statistics_too(tables: TableStore) -> None:
    found = table_statistics(tables, Manifest(LINES))

    assert (found["row_count"], [entry["distinct"] for entry in by_name(found).values()]) == (0, [0, 0])


def test_statistics_of_a_large_table_are_close(tables: TableStore) -> None:
    columns = by_name(table_statistics(tables, version(tables, people(range(60_000)))))

    assert (columns["id"]["min"], columns["id"]["max"], columns["id"]["nulls"]) == (0, 59_999, 0)
    assert abs(columns["id"]["distinct"] - 60_000) < 9_000
    assert columns["name"]["distinct"] == 1000
    assert abs(columns["id"]["quantiles"]["0.5"] - 30_000) < 1_500


class Counted(TableStore):
    """Counts the rows that are decoded; keeps nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalDirectoryStore(folder), "t/", cache_bytes=0)
        self.decoded = 0

    def each(
        self, sources: Sequence[Source], columns: Sequence[str] | None = None, *, keep: bool = True, coded: bool = False
    ) -> Iterator[pa.Table]:
        self.decoded += sum(source.rows for source in sources)
        return super().each(sources, columns, keep=keep, coded=coded)


@pytest.mark.slow
def test_of_a_huge_table_only_so_many_cells_are_read(tmp_path: Path) -> None:
    tables = Counted(tmp_path)
    once = version(
        tables, [{"name": None if n % 4 == 0 else f"n{n % 3}", "score": float(n)} for n in range(8_000)], LINES
    )
    times = np.ones(5_000, dtype=np.int64)
    chunk = once.sources[0]
    huge = Manifest(LINES, (chunk,), pieces=Pieces(times * 0, times * 0, times * chunk.rows))

    found = table_statistics(tables, huge, most_cells=400_000)

    columns = by_name(found)
    assert found["row_count"] == 5_000 * chunk.rows > 5_000_000
    assert 100_000 <= found["rows_read"] <= 200_000  # type: ignore[operator]
    assert found["sampled"] is True
    assert columns["name"]["nulls"] == pytest.approx(5_000 * chunk.rows / 4, rel=0.05)
    assert columns["name"]["distinct"] == 3


def test_wide_rows_are_sampled_sparingly(tables: TableStore) -> None:
    wide = [{"name": f"{n}" + "x" * 40_000, "score": float(n)} for n in range(1_500)]
    manifest = version(tables, wide, LINES)

    found = table_statistics(tables, manifest)

    assert found["sampled"] is True
    assert by_name(found)["name"]["distinct"] > 1_300


@pytest.mark.parametrize("value", [1.7976931348623157e308, -1.7976931348623157e308, 1e300, 0.0])
def test_a_column_of_one_value_has_a_bin_around_it_whatever_its_size(value: float) -> None:
    edges = _edges(value, value)

    assert all(math.isfinite(edge) for edge in edges)
    assert edges[0] <= value <= edges[-1]
    assert edges == sorted(set(edges))
