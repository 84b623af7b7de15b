"""Bounds of partitions: what is within what, and no guess where the texts do not tell."""

import pytest

from dataforge.contexts.schemas.plans.domain.bounds import alike, contains, listed, related


def between(low: str, high: str) -> str:
    return f"FOR VALUES FROM ({low}) TO ({high})"


@pytest.mark.parametrize(
    ("outer", "inner", "within"),
    [
        (between("'2025-01-01'", "'2027-01-01'"), between("'2025-01-01'", "'2026-01-01'"), True),
        (between("'2025-01-01'", "'2026-01-01'"), between("'2025-01-01'", "'2027-01-01'"), False),
        (between("MINVALUE", "MAXVALUE"), between("1", "2"), True),
        (between("1", "2"), between("MINVALUE", "MAXVALUE"), False),
        (between("'9'", "'100'"), between("'10'", "'99'"), True),
        (between("'b'", "'z'"), between("'c'", "'d'"), False),
        (between("1, 'x'", "2, 'x'"), between("1, 'x'", "2, MINVALUE"), True),
        ("FOR VALUES IN ('a', 'b,c', NULL)", "FOR VALUES IN (NULL, 'b,c')", True),
        ("FOR VALUES IN ('a')", "FOR VALUES IN ('a', 'b')", False),
        ("FOR VALUES WITH (modulus 2, remainder 1)", "FOR VALUES WITH (modulus 4, remainder 3)", True),
        ("FOR VALUES WITH (modulus 2, remainder 1)", "FOR VALUES WITH (modulus 4, remainder 2)", False),
        ("FOR VALUES WITH (modulus 4, remainder 1)", "FOR VALUES WITH (modulus 2, remainder 1)", False),
        ("DEFAULT", "DEFAULT", True),
        ("FOR VALUES IN (1)", between("1", "2"), False),
    ],
)
def test_a_bound_holds_another_only_where_all_its_rows_fit(outer: str, inner: str, within: bool) -> None:
    assert contains(outer, inner) is within


def test_a_part_and_what_it_is_split_into_are_related() -> None:
    assert related(between("1", "9"), between("1", "5"))
    assert not related(between("1", "5"), between("5", "9"))


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (between("1", "10"), between("'1'", "'10'"), True),
        (between("'2026-01-01'", "'2027-01-01'"), between("'2026-01-01 00:00:00'", "'2027-01-01 00:00:00'"), True),
        (between("'2026-01-01'", "MAXVALUE"), between("'2026-01-01 00:00:00+00'", "MAXVALUE"), True),
        (between("'2026-01-01'", "MAXVALUE"), between("'2026-01-01 00:00:01'", "MAXVALUE"), False),
        ("FOR VALUES IN (1, 2)", "FOR VALUES IN (1.0, '2.00')", True),
        ("FOR VALUES IN (1, 2)", "FOR VALUES IN (1.0, 2.5)", False),
    ],
)
def test_types_write_the_same_values_differently(one: str, two: str, same: bool) -> None:
    assert alike(one, two) is same


def test_a_list_says_its_values_and_others_none() -> None:
    assert listed("FOR VALUES IN ('a', 'b,c', NULL)") == {"'a'", "'b,c'", "NULL"}
    assert listed(between("1", "2")) == set()
