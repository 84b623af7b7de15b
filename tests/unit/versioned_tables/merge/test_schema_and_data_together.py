"""Schema and data change together, on one side or both: every reader agrees with plain dictionaries."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.table_history import ROWS, VALUES, State, beginning, line, schema_step, step
from tests.builders.table_model import KEY, Model, ModelConflict, counts, merged
from tests.builders.tables import imported, rows_of, store, version
from versioned_tables.compare.diff import count_changes, difference, difference_page
from versioned_tables.errors import ColumnConflict, MergeConflicts
from versioned_tables.exports import ExportOptions, export_table
from versioned_tables.files.options import ImportOptions
from versioned_tables.maintain.maintenance import compact, verify
from versioned_tables.merge.merging import cherry_pick, merge, revert
from versioned_tables.read.statistics import table_statistics
from versioned_tables.schema.columns import column_id, make_schema
from versioned_tables.sql.running import run_sql
from versioned_tables.storage.table_store import TableStore

quick = settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def check(tables: TableStore, at: State) -> None:
    """Every reader of one version."""
    model, manifest = at
    plain = model.plain()
    assert rows_of(tables, manifest) == plain
    assert [(c.id, c.name, c.type) for c in manifest.schema.columns] == [
        (column_id(*item), name, type_) for item, (name, type_) in model.columns.items()
    ]
    assert dict(manifest.schema.generations) == dict(model.left)
    assert verify(tables, manifest) == []
    described = table_statistics(tables, manifest)["columns"]
    assert [column["nulls"] for column in described] == [  # type: ignore[attr-defined]
        sum(row[name] is None for row in plain) for name in model.names
    ]


@quick
@given(st.data())
def test_every_version_reads_as_the_model(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    tables = store(tmp_path_factory.mktemp("t"))
    states = line(data, tables, beginning(tables))

    for before, after in [*pairwise(states), (states[0], states[-1]), (states[-1], states[0])]:
        check(tables, after)
        found = difference(tables, before[1], after[1])
        assert found.counts == counts(before[0], after[0])
        assert count_changes(tables, before[1], after[1]) == found.counts
        for change in difference_page(tables, found, 0, 100):
            assert (change.kind == "updated") == bool(change.changed)


@quick
@given(st.data())
def test_merges_are_by_column_and_cell(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    tables = store(tmp_path_factory.mktemp("t"))
    base = step(data, tables, beginning(tables))
    ours, theirs = line(data, tables, base)[-1], line(data, tables, base)[-1]

    for one, two in ((ours, theirs), (theirs, ours)):
        try:
            expected = merged(base[0], one[0], two[0])
        except ModelConflict:
            with pytest.raises(MergeConflicts):
                merge(tables, base[1], one[1], two[1]).require()
            continue
        result = merge(tables, base[1], one[1], two[1]).require()
        assert {tuple(sorted(row.items(), key=str)) for row in rows_of(tables, result)} == {
            tuple(sorted(row.items(), key=str)) for row in expected.plain()
        }
        assert set(result.schema.generations) == set(expected.left.items())
        assert count_changes(tables, one[1], result) == counts(one[0], expected)
        assert verify(tables, result) == []


@quick
@given(st.data())
def test_a_commit_is_picked_and_reverted_by_column_and_cell(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tables = store(tmp_path_factory.mktemp("t"))
    states = line(data, tables, beginning(tables))
    at = data.draw(st.integers(1, len(states) - 1), label="commit")
    parent, commit = states[at - 1], states[at]
    elsewhere = line(data, tables, states[0])[-1]

    for call, base, head, theirs in (
        (cherry_pick, parent, elsewhere, commit),
        (revert, commit, states[-1], parent),
    ):
        try:
            expected = merged(base[0], head[0], theirs[0])
        except ModelConflict:
            with pytest.raises(MergeConflicts):
                call(tables, commit[1], parent[1], head[1]).require()
            continue
        result = call(tables, commit[1], parent[1], head[1]).require()
        assert {tuple(sorted(row.items(), key=str)) for row in rows_of(tables, result)} == {
            tuple(sorted(row.items(), key=str)) for row in expected.plain()
        }
        assert verify(tables, result) == []


def beginning_without_a_key(tables: TableStore) -> State:
    """The same rows, each with a text of its own that nobody changes: it tells which row became which."""
    model = Model().add("w", "string").add("a", "int").add("b", "string")
    for row in ROWS:
        model = model.put(row["k"], {"w": f"row {row['k']}", "a": row["a"], "b": row["b"]})  # type: ignore[arg-type]
    schema = make_schema([("k", "int"), ("w", "string"), ("a", "int"), ("b", "string")])
    return model, version(tables, model.plain(), schema)


def line_without_a_key(data: st.DataObject, tables: TableStore, at: State, new: range) -> list[State]:
    """Commits that change the schema, and rows of the base or of `new` keys."""
    states = [at]
    for _ in range(data.draw(st.integers(1, 2), label="commits")):
        model, manifest = states[-1]
        for _ in range(data.draw(st.integers(0, 2), label="schema changes")):
            model, manifest = schema_step(data, tables, (model, manifest))
        keys = st.lists(st.sampled_from([*range(1, 9), *new]), max_size=3, unique=True)
        for key in data.draw(keys, label="keys"):
            if key in model.rows and data.draw(st.integers(0, 4)) == 0:
                model = model.delete(key)
                continue
            values: dict[str, object] = {} if key in model.rows else {"w": f"row {key}"}
            for item, (name, type_) in model.columns.items():
                if item != KEY and name != "w" and data.draw(st.booleans()):
                    values[name] = data.draw(st.sampled_from((None, *VALUES[type_])))
            model = model.put(key, values)
        states.append((model, version(tables, model.plain(), manifest.schema, manifest)))
    return states


def only_emptied(base: Model, one: Model, other: Model) -> bool:
    """Whether what a dropped column lost on the other side were empty cells: without a key that is no conflict."""
    for item in base.columns:
        for kept, dropped in ((one, other), (other, one)):
            if item in kept.columns and item not in dropped.columns:
                cells = [(base.rows.get(key, {}).get(item), row.get(item)) for key, row in kept.rows.items()]
                changed = [now for was, now in cells if was != now]
                if changed and not any(changed) and kept.columns[item] == base.columns[item]:
                    return True
    return False


@quick
@given(st.data())
def test_without_a_key_no_value_is_lost_and_none_comes_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tables = store(tmp_path_factory.mktemp("t"))
    base = line_without_a_key(data, tables, beginning_without_a_key(tables), range(9, 10))[-1]
    ours = line_without_a_key(data, tables, base, range(11, 13))
    theirs = line_without_a_key(data, tables, base, range(21, 23))
    for model, manifest in (*ours, *theirs):
        check(tables, (model, manifest))

    for call, (was, one, other) in (
        (merge, (base, ours[-1], theirs[-1])),
        (merge, (base, theirs[-1], ours[-1])),
        (cherry_pick, (theirs[-2], ours[-1], theirs[-1])),
        (revert, (ours[1], ours[-1], ours[0])),
    ):
        if (one[0].rows.keys() & other[0].rows.keys()) - was[0].rows.keys():
            continue  # inserted on both sides: without a key these are two rows
        try:
            expected = merged(was[0], one[0], other[0])
        except ModelConflict:
            expected = None
        sides = {merge: (was, one, other), cherry_pick: (other, was, one), revert: (was, other, one)}[call]
        try:
            result = call(tables, *(manifest for _, manifest in sides))
        except ColumnConflict:
            continue
        if result.conflicts:
            continue
        if expected is None:
            assert only_emptied(was[0], one[0], other[0])
            continue
        found = result.require()
        assert {tuple(sorted(row.items(), key=str)) for row in rows_of(tables, found)} == {
            tuple(sorted(row.items(), key=str)) for row in expected.plain()
        }
        assert found.rows == len(expected.rows)
        assert verify(tables, found) == []


@settings(quick, max_examples=examples(10))
@given(st.data())
def test_compaction_sql_and_a_round_trip_through_a_file_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tables = store(tmp_path_factory.mktemp("t"))
    start = beginning(tables)
    model, manifest = line(data, tables, start)[-1]
    out = BytesIO()

    export_table(tables, manifest, ExportOptions(format="parquet"), out)
    again = imported(
        tables, out.getvalue(), ImportOptions(key=("k",)), name="t.parquet", bases={"data": manifest}
    ).tables["data"]
    smaller = compact(tables, manifest)
    answer = run_sql(tables, {"t": manifest}, "SELECT * FROM t ORDER BY k")

    assert (again.content, again.schema) == (manifest.content, manifest.schema)
    assert rows_of(tables, smaller) == model.plain()
    assert difference(tables, start[1], smaller).counts == counts(start[0], model)
    assert [list(row) for row in answer.rows] == [list(row.values()) for row in model.plain()]
