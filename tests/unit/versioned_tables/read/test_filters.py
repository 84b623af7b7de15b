"""Which rows a filter picks."""

import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import people, store, version
from versioned_tables.errors import FilterRefused
from versioned_tables.read.filters import COMPARISONS, LISTS, NULLS, TEXTS, parse_filter
from versioned_tables.read.pages import PageRequest, read_page
from versioned_tables.storage.table_store import TableStore


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


CELLS: dict[str, st.SearchStrategy[object]] = {
    "id": st.integers(-3, 8),
    "name": st.sampled_from(["", "a", "ab", "ca", "*", "A", "a*", "\u00e9"]),
    "score": st.sampled_from([-1.0, 0.0, 0.5, 3.0, float("nan"), float("inf")]),
}


def conditions() -> st.SearchStrategy[dict[str, object]]:
    """Conditions on any column, with operands that are near its values."""

    def on(column: str) -> st.SearchStrategy[dict[str, object]]:
        operand = CELLS[column].filter(lambda value: value == value and value != float("inf"))
        operand = operand | st.just(3.5) if column == "id" else operand
        makers = [
            st.fixed_dictionaries({"column": st.just(column), "op": st.sampled_from(COMPARISONS), "value": operand}),
            st.fixed_dictionaries(
                {"column": st.just(column), "op": st.sampled_from(LISTS), "value": st.lists(operand, max_size=3)}
            ),
            st.fixed_dictionaries({"column": st.just(column), "op": st.sampled_from(NULLS)}),
        ]
        if column == "name":
            texts = {"column": st.just(column), "op": st.sampled_from(TEXTS), "value": st.sampled_from(["", "a", "*"])}
            makers.append(st.fixed_dictionaries(texts))
        return st.one_of(makers)

    return st.one_of(*map(on, CELLS))


FILTERS = st.recursive(
    conditions(),
    lambda inner: st.one_of(*(st.fixed_dictionaries({word: st.lists(inner, max_size=3)}) for word in ("and", "or"))),
    max_leaves=6,
)
HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "contains": lambda cell, text: text in cell,
    "not_contains": lambda cell, text: text not in cell,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "in": lambda cell, values: cell in values,
    "not_in": lambda cell, values: cell not in values,
    "is_not_null": lambda cell, _: True,
}


def holds(where: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """What a filter means, cell by cell in plain Python: null matches nothing but `is_null`."""
    if "and" in where:
        return all(holds(part, row) for part in where["and"])
    if "or" in where:
        return any(holds(part, row) for part in where["or"])
    cell = row[where["column"]]
    if where["op"] == "is_null" or cell is None:
        return where["op"] == "is_null" and cell is None
    return HOLDS[where["op"]](cell, where.get("value"))


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries({name: st.none() | cell for name, cell in CELLS.items() if name != "id"}), max_size=12
    ),
    FILTERS,
    st.integers(0, 3),
    st.booleans(),
)
def test_a_filter_picks_the_rows_that_it_describes(
    tables: TableStore, cells: list[dict[str, object]], where: dict[str, Any], offset: int, descending: bool
) -> None:
    rows: list[dict[str, object]] = [{"id": number, **row} for number, row in enumerate(cells)]
    manifest = version(tables, rows)
    expected = [row["id"] for row in rows if holds(where, row)][:: -1 if descending else 1][offset:]

    request = PageRequest(offset=offset, limit=5, where=parse_filter(where), descending=descending)
    page = read_page(tables, manifest, request)

    assert [row["logical_row_id"] for row in page.rows] == [str(number) for number in expected[:5]]
    assert page.has_more == (len(expected) > 5)


@pytest.mark.parametrize(
    "where",
    [
        {"column": "nope", "op": "eq", "value": 1},
        {"column": "id", "op": "like", "value": 1},
        {"column": "id", "op": "eq"},
        {"column": "id", "op": "in", "value": 1},
        {"column": "id", "op": "eq", "value": "one"},
        {"and": [], "or": []},
        [],
        {"column": "name", "op": "contains", "value": 1},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(tables: TableStore, where: object) -> None:
    manifest = version(tables, people(range(3)))

    with pytest.raises(FilterRefused):
        read_page(tables, manifest, PageRequest(where=parse_filter(where)))
