"""Three-way merge of tables without a key: what each side did is carried over in place; nothing is lost silently."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import LINES, rows_of, store, version
from versioned_tables.errors import MergeConflicts
from versioned_tables.format.manifest import Manifest
from versioned_tables.merge.conflicts import Resolution
from versioned_tables.merge.merging import cherry_pick, merge, revert
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.operations import change_schema

quick = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Line = dict[str, object]
MIRRORED = {
    "deleted_by_us": "deleted_by_them",
    "deleted_by_them": "deleted_by_us",
    "both_replaced": "both_replaced",
}


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def lines(count: int) -> list[Line]:
    return [{"name": f"line {n}", "score": float(n)} for n in range(count)]


@dataclass
class Side:
    """What one side does to the lines: new names, deleted numbers, and rows put before a number."""

    names: Mapping[int, str]
    deleted: frozenset[int]
    inserted: Mapping[int, str]

    def of(self, base: list[Line]) -> list[Line]:
        """The lines afterwards."""
        found: list[Line] = []
        for number, line in enumerate(base):
            if number in self.inserted:
                found.append({"name": self.inserted[number], "score": 1000.5 + number})
            if number not in self.deleted:
                found.append({**line, "name": self.names.get(number, line["name"])})
        return found

    def clashes(self, other: "Side") -> set[str]:
        """The rows that this and the other side changed in ways that do not go together."""
        renamed = {n for n in set(self.names) & set(other.names) if self.names[n] != other.names[n]}
        gone = (set(self.names) & other.deleted) | (self.deleted & set(other.names))
        return {f"row {n + 1}" for n in renamed | gone}


def side(mark: str, size: int) -> st.SearchStrategy[Side]:
    numbers = st.integers(0, size - 1)
    name = st.sampled_from([f"{mark} one", f"{mark} two", "same"])

    def made(names: dict[int, str], deleted: set[int], inserted: dict[int, str]) -> Side:
        return Side({n: v for n, v in names.items() if n not in deleted}, frozenset(deleted), inserted)

    return st.builds(
        made,
        st.dictionaries(numbers, name, max_size=5),
        st.sets(numbers, max_size=4),
        st.dictionaries(numbers, name, max_size=3),
    )


Versions = tuple[Manifest, Manifest, Manifest]


def versions(tables: TableStore, base: list[Line], ours: list[Line], theirs: list[Line]) -> Versions:
    before = version(tables, base, LINES)
    return before, version(tables, ours, LINES, base=before), version(tables, theirs, LINES, base=before)


def counted(rows: list[Line]) -> list[tuple[object, object]]:
    return sorted(((row["name"], row["score"]) for row in rows), key=str)


@pytest.mark.parametrize("size", [12, 900])
def test_what_goes_together_is_merged_and_what_does_not_is_listed(tables: TableStore, size: int) -> None:
    base = lines(size)

    @quick
    @given(side("ours", size), side("theirs", size))
    def check(mine: Side, other: Side) -> None:
        before, ours, theirs = versions(tables, base, mine.of(base), other.of(base))
        expected = mine.clashes(other)

        result, mirror = merge(tables, before, ours, theirs), merge(tables, before, theirs, ours)

        found = {c.row_id for c in result.conflicts}
        assert found >= expected
        # A row that both deleted, with other rows in its place on both sides, might have been changed into them.
        doubtful = {f"row {n + 1}" for n in mine.deleted & other.deleted if mine.inserted and other.inserted}
        assert found - expected <= doubtful, (mine, other)
        assert {(c.row_id, MIRRORED[c.kind], c.columns) for c in mirror.conflicts} == {
            (c.row_id, c.kind, c.columns) for c in result.conflicts
        }
        assert (result.manifest is None) == bool(found)
        if result.manifest is not None:
            both = Side(
                {**mine.names, **other.names},
                mine.deleted | other.deleted,
                # Two rows inserted at one place: ours first; once when they are alike.
                mine.inserted,
            )
            merged = rows_of(tables, result.manifest)
            extra = [
                ({"name": name, "score": 1000.5 + n})
                for n, name in other.inserted.items()
                if mine.inserted.get(n) != name
            ]
            assert counted(merged) == counted(both.of(base) + extra), (mine, other)
            # Among rows that are gone nothing tells where a new one belongs.
            if not set(mine.inserted) & set(other.inserted) and not mine.deleted and not other.deleted:
                assert merged == Side(both.names, both.deleted, {**mine.inserted, **other.inserted}).of(base), (
                    mine,
                    other,
                )

    check()


@quick
@given(side("ours", 12), side("theirs", 12))
def test_a_rule_ends_all_conflicts_and_is_the_same_from_both_sides(tables: TableStore, mine: Side, other: Side) -> None:
    before, ours, theirs = versions(tables, lines(12), mine.of(lines(12)), other.of(lines(12)))

    one = merge(tables, before, ours, theirs, rule="ours").require()
    two = merge(tables, before, theirs, ours, rule="theirs").require()

    assert counted(rows_of(tables, one)) == counted(rows_of(tables, two))


@quick
@given(side("ours", 12))
def test_merging_nothing_or_the_same_changes_nothing(tables: TableStore, mine: Side) -> None:
    before, ours, again = versions(tables, lines(12), mine.of(lines(12)), mine.of(lines(12)))

    for result in (
        merge(tables, before, ours, before),
        merge(tables, before, before, ours),
        merge(tables, before, ours, again),
    ):
        assert result.require().digest == ours.digest


@quick
@given(side("ours", 12))
def test_a_reverted_commit_leaves_what_was_before_and_picking_it_again_brings_it_back(
    tables: TableStore, mine: Side
) -> None:
    before, after, _ = versions(tables, lines(12), mine.of(lines(12)), lines(12))

    assert revert(tables, after, before, after).require().digest == before.digest
    assert cherry_pick(tables, after, before, before).require().digest == after.digest


@quick
@given(st.integers(1, 11), side("theirs", 12))
def test_rows_that_ours_moved_are_changed_where_they_are_now(tables: TableStore, by: int, other: Side) -> None:
    base = lines(12)
    ours = base[by:] + base[:by]
    other = Side(other.names, other.deleted, {})
    before, mine, theirs = versions(tables, base, ours, other.of(base))

    merged = merge(tables, before, mine, theirs).require()

    told = {line["score"]: line for line in other.of(base)}
    assert rows_of(tables, merged) == [told[line["score"]] for line in ours if line["score"] in told]


@quick
@given(st.lists(st.sampled_from("ab"), max_size=30), st.lists(st.integers(0, 29)), st.lists(st.integers(0, 29)))
def test_of_repeated_rows_each_side_takes_away_its_own(
    tables: TableStore, values: list[str], mine: list[int], other: list[int]
) -> None:
    base: list[Line] = [{"name": value, "score": None} for value in values]
    without: Callable[[list[int]], list[Line]] = lambda gone: [row for n, row in enumerate(base) if n not in gone]  # noqa: E731
    before, ours, theirs = versions(tables, base, without(mine), without(other))

    merged = rows_of(tables, merge(tables, before, ours, theirs).require())

    for name in "ab":
        had, kept, left = ([row["name"] for row in rows].count(name) for rows in (base, without(mine), without(other)))
        assert min(kept, left) >= [row["name"] for row in merged].count(name) >= kept + left - had


@pytest.mark.parametrize(
    ("ours", "theirs", "kind", "columns"),
    [
        ({"name": "o"}, {"name": "t"}, "both_replaced", ("name",)),
        ({"name": "o"}, {"score": 0.5}, "both_replaced", ("name", "score")),
        (None, {"name": "t"}, "deleted_by_us", ()),
        ({"name": "o"}, None, "deleted_by_them", ()),
    ],
)
def test_a_conflict_shows_the_row_of_all_sides_and_is_resolved_by_its_number(
    tables: TableStore, ours: Line | None, theirs: Line | None, kind: str, columns: tuple[str, ...]
) -> None:
    base = lines(100)
    mine, other = ([*base[:40], *([] if row is None else [{**base[40], **row}]), *base[41:]] for row in (ours, theirs))
    before, head, branch = versions(tables, base, mine, other)

    [conflict] = merge(tables, before, head, branch).conflicts
    ends = {
        take: rows_of(tables, merge(tables, before, head, branch, resolutions={"row 41": Resolution(take)}).require())
        for take in ("ours", "theirs", "base")  # type: ignore[attr-defined]
    }

    assert (conflict.row_id, conflict.kind, conflict.columns) == ("row 41", kind, columns)
    assert (conflict.base, conflict.ours, conflict.theirs) == (
        base[40],
        None if ours is None else mine[40],
        None if theirs is None else other[40],
    )
    assert ends == {"ours": mine, "theirs": other, "base": base}


def test_a_conflict_is_resolved_with_cells_of_ones_own(tables: TableStore) -> None:
    base = lines(3)
    before, ours, theirs = versions(
        tables, base, [base[0], {**base[1], "name": "o"}, base[2]], [base[0], {**base[1], "score": 0.5}, base[2]]
    )

    merged = merge(tables, before, ours, theirs, resolutions={"row 2": Resolution("ours", {"score": 0.5})}).require()

    assert rows_of(tables, merged)[1] == {"name": "o", "score": 0.5}
    with pytest.raises(MergeConflicts, match="sets 'nope', which is no column"):
        merge(tables, before, ours, theirs, resolutions={"row 2": Resolution("ours", {"nope": 1})})


def test_the_example_of_five_rows(tables: TableStore) -> None:
    base = [{"name": name, "score": float(number)} for number, name in enumerate("abcde", 1)]
    put = {"name": "x", "score": 0.0}
    mine = [base[0], base[2], base[3], put, base[4]]
    other = [base[0], base[1], {**base[2], "name": "C"}, base[3], base[4]]
    before, ours, theirs = versions(tables, base, mine, other)
    _, both, _ = versions(tables, base, [base[0], base[1], {**base[2], "name": "K"}, *base[3:]], other)

    merged = merge(tables, before, ours, theirs).require()

    assert rows_of(tables, merged) == [base[0], {**base[2], "name": "C"}, base[3], put, base[4]]
    assert [conflict.row_id for conflict in merge(tables, before, both, theirs).conflicts] == ["row 3"]


def test_of_several_replaced_rows_the_likest_belong_together(tables: TableStore) -> None:
    base = lines(6)
    mine = [base[0], {**base[2], "name": "o2"}, {**base[3], "name": "o3"}, base[4], base[5]]
    other = [*base[:3], {**base[3], "name": "t3"}, *base[4:]]
    before, ours, theirs = versions(tables, base, mine, other)

    result = merge(tables, before, ours, theirs)

    # Row 2 is the one that ours deleted: rows 3 and 4 have the scores of the new ones.
    assert [(c.row_id, c.ours and c.ours["name"], c.theirs and c.theirs["name"]) for c in result.conflicts] == [
        ("row 4", "o3", "t3")
    ]


def test_a_column_added_here_and_rows_changed_there_merge(tables: TableStore) -> None:
    base = lines(300)
    before, _, theirs = versions(tables, base, base, [*base[:7], {**base[7], "name": "t"}, *base[8:]])
    ours = change_schema(tables, before, add=[("extra", "int")], renames={"name": "label"})

    one, two = merge(tables, before, ours, theirs).require(), merge(tables, before, theirs, ours).require()

    assert rows_of(tables, one)[7] == {"label": "t", "score": 7.0, "extra": None}
    assert one.content == two.content


def test_many_changes_on_both_sides_stay_apart(tables: TableStore) -> None:
    base = lines(60_000)
    mine = [{**line, "name": "o"} if n % 100 == 0 else line for n, line in enumerate(base)]
    other = [{**line, "name": "t"} if n % 100 == 50 else line for n, line in enumerate(base) if n % 1000 != 75]
    before, ours, theirs = versions(tables, base, mine, other)

    merged = merge(tables, before, ours, theirs).require()

    assert rows_of(tables, merged) == [
        {**line, "name": "o"} if n % 100 == 0 else {**line, "name": "t"} if n % 100 == 50 else line
        for n, line in enumerate(base)
        if n % 1000 != 75
    ]
    assert merged.change is not None
    assert merged.change.complete
