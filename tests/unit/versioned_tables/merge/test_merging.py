"""Three-way merge by row and cell, revert and cherry-pick, and the laws they keep."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import people, rows_of, store, version
from versioned_tables.compare.diff import difference
from versioned_tables.errors import MergeConflicts
from versioned_tables.merge.conflicts import Resolution
from versioned_tables.merge.merging import cherry_pick, merge, revert
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import change_schema

quick = settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
BASE = people(range(0, 600, 2))


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


@st.composite
def side(draw: st.DrawFn, low: int = 0, high: int = 600) -> list[dict[str, object]]:
    """The base with a few rows between two ids changed, removed or added."""
    rows = {row["id"]: dict(row) for row in BASE}
    for pick in draw(st.lists(st.integers(low, high - 1), max_size=6)):
        action = draw(st.sampled_from(["name", "score", "delete", "insert"]))
        if action == "insert":
            rows[pick | 1] = {"id": pick | 1, "name": draw(st.sampled_from(["n", "m"])), "score": None}
        elif action == "delete":
            rows.pop(pick & ~1, None)
        elif pick & ~1 in rows:
            rows[pick & ~1][action] = (
                draw(st.sampled_from(["x", "y"])) if action == "name" else draw(st.sampled_from([-1.0, -2.0]))
            )
    return sorted(rows.values(), key=lambda row: row["id"])  # type: ignore[arg-type,return-value]


@quick
@given(side())
def test_merging_nothing_changes_nothing(tables: TableStore, ours: list[dict[str, object]]) -> None:
    base = version(tables, BASE)
    head = version(tables, ours, base=base)

    assert merge(tables, base, head, base).require().digest == head.digest
    assert merge(tables, base, base, head).require().digest == head.digest
    assert merge(tables, base, head, head).require().digest == head.digest


@quick
@given(side(0, 300), side(300, 600))
def test_changes_to_other_rows_merge_in_either_order(
    tables: TableStore, ours: list[dict[str, object]], theirs: list[dict[str, object]]
) -> None:
    base = version(tables, BASE)
    one, two = version(tables, ours, base=base), version(tables, theirs, base=base)
    expected = [row for row in ours if row["id"] < 300] + [row for row in theirs if row["id"] >= 300]  # type: ignore[operator]

    merged = merge(tables, base, one, two).require()

    assert rows_of(tables, merged) == expected
    assert merged.digest == merge(tables, base, two, one).require().digest


@quick
@given(side(), side())
def test_conflicts_are_the_same_from_both_sides_and_a_rule_ends_them(
    tables: TableStore, ours: list[dict[str, object]], theirs: list[dict[str, object]]
) -> None:
    base = version(tables, BASE)
    one, two = version(tables, ours, base=base), version(tables, theirs, base=base)

    forward, backward = merge(tables, base, one, two), merge(tables, base, two, one)

    assert {(c.row_id, c.columns) for c in forward.conflicts} == {(c.row_id, c.columns) for c in backward.conflicts}
    assert (
        merge(tables, base, one, two, rule="ours").require().digest
        == merge(tables, base, two, one, rule="theirs").require().digest
    )


@quick
@given(side())
def test_a_reverted_commit_leaves_what_was_before(tables: TableStore, after: list[dict[str, object]]) -> None:
    parent = version(tables, BASE)
    commit = version(tables, after, base=parent)

    assert revert(tables, commit, parent, commit).require().digest == parent.digest


def changed(number: int, **cells: object) -> list[dict[str, object]]:
    return [{**row, **cells} if row["id"] == number else row for row in BASE]


def test_two_cells_of_one_row_merge(tables: TableStore) -> None:
    base = version(tables, BASE)

    merged = merge(
        tables,
        base,
        version(tables, changed(8, name="ours"), base=base),
        version(tables, changed(8, score=-1.0), base=base),
    ).require()

    assert rows_of(tables, merged)[4] == {"id": 8, "name": "ours", "score": -1.0}
    assert difference(tables, base, merged).counts == {"inserted": 0, "updated": 1, "deleted": 0}


def test_one_cell_changed_on_both_sides_is_a_conflict_with_three_values(tables: TableStore) -> None:
    base = version(tables, BASE)
    ours, theirs = (version(tables, changed(8, name=name), base=base) for name in ("ours", "theirs"))

    result = merge(tables, base, ours, theirs)

    assert result.manifest is None
    [conflict] = result.conflicts
    assert (conflict.row_id, conflict.kind, conflict.columns) == ("8", "cells", ("name",))
    assert [row and row["name"] for row in (conflict.base, conflict.ours, conflict.theirs)] == [
        BASE[4]["name"],
        "ours",
        "theirs",
    ]
    with pytest.raises(MergeConflicts, match="1 rows were changed on both sides"):
        result.require()


@pytest.mark.parametrize(
    ("resolution", "name"),
    [
        (Resolution("ours"), "ours"),
        (Resolution("theirs"), "theirs"),
        (Resolution("base"), BASE[4]["name"]),
        (Resolution(values={"name": "both"}), "both"),
    ],
)
def test_a_conflict_is_resolved_by_row(tables: TableStore, resolution: Resolution, name: str) -> None:
    base = version(tables, BASE)
    ours, theirs = (version(tables, changed(8, name=name), base=base) for name in ("ours", "theirs"))

    merged = merge(tables, base, ours, theirs, resolutions={"8": resolution}).require()

    assert rows_of(tables, merged)[4]["name"] == name


def test_a_row_deleted_here_and_changed_there_is_a_conflict(tables: TableStore) -> None:
    base = version(tables, BASE)
    ours = version(tables, [row for row in BASE if row["id"] != 8], base=base)
    theirs = version(tables, changed(8, name="theirs"), base=base)

    assert [c.kind for c in merge(tables, base, ours, theirs).conflicts] == ["deleted_by_us"]
    assert [c.kind for c in merge(tables, base, theirs, ours).conflicts] == ["deleted_by_them"]
    assert merge(tables, base, ours, theirs, rule="ours").require().digest == ours.digest
    assert merge(tables, base, ours, theirs, rule="theirs").require().digest == theirs.digest


def test_a_cherry_pick_takes_one_commit_of_another_line(tables: TableStore) -> None:
    base = version(tables, BASE)
    parent = version(tables, changed(8, name="parent"), base=base)
    commit = version(
        tables, [{**row, "score": -9.0} if row["id"] == 20 else row for row in changed(8, name="parent")], base=parent
    )
    head = version(tables, changed(30, name="head"), base=base)

    picked = cherry_pick(tables, commit, parent, head).require()

    rows = rows_of(tables, picked)
    assert (rows[4]["name"], rows[10]["score"], rows[15]["name"]) == (BASE[4]["name"], -9.0, "head")


def test_a_column_added_here_and_rows_changed_there_merge(tables: TableStore) -> None:
    base = version(tables, BASE)
    ours = change_schema(tables, base, add=[("extra", "int")], renames={"name": "label"})
    theirs = version(tables, changed(8, name="theirs"), base=base)

    merged = merge(tables, base, ours, theirs).require()
    other = merge(tables, base, theirs, ours).require()

    assert rows_of(tables, merged)[4] == {"id": 8, "label": "theirs", "score": 2.0, "extra": None}
    assert other.content == merged.content


def test_two_new_names_of_one_column_are_a_conflict_that_a_rule_ends(tables: TableStore) -> None:
    base = version(tables, BASE)
    ours, theirs = (change_schema(tables, base, renames={"name": name}) for name in ("label", "title"))

    with pytest.raises(MergeConflicts, match="'name' is now 'label' on our side and 'title' on theirs"):
        merge(tables, base, ours, theirs)

    names = [merge(tables, base, ours, theirs, rule=rule).require().schema.names[1] for rule in ("ours", "theirs")]  # type: ignore[arg-type]
    assert names == ["label", "title"]


def test_cells_changed_in_a_column_that_the_other_side_dropped_are_not_lost_silently(tables: TableStore) -> None:
    base = version(tables, BASE)
    dropped = change_schema(tables, base, drop=["score"])
    edited = version(tables, changed(8, score=-1.0), base=base)
    renamed = version(tables, changed(8, name="other"), base=base)

    for ours, theirs in ((dropped, edited), (edited, dropped)):
        with pytest.raises(MergeConflicts, match="'score' was dropped on one side, and 1 cell in it was changed"):
            merge(tables, base, ours, theirs)
        assert merge(tables, base, ours, theirs, rule="ours").require().schema.names == ["id", "name"]
    merged = merge(tables, base, dropped, renamed).require()

    assert rows_of(tables, merged)[4] == {"id": 8, "name": "other"}


@pytest.mark.parametrize("name", ["extra", "EXTRA"])
def test_two_columns_of_one_name_are_a_conflict_that_no_rule_ends(tables: TableStore, name: str) -> None:
    base = version(tables, BASE)
    ours = change_schema(tables, base, add=[("extra", "int")])
    theirs = change_schema(tables, base, renames={"name": name})

    for rule in (None, "ours", "theirs"):
        with pytest.raises(MergeConflicts, match="that is not the same one"):
            merge(tables, base, ours, theirs, rule=rule)  # type: ignore[arg-type]
