"""Canonical JSON and the hashes over it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.canonical import canonical_json, content_hash, plan_hash
from dataforge.kernel.principal import Role

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=6))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert content_hash(dict(reversed(list(value.items())))) == content_hash(value)


@given(json_values, json_values)
def test_values_hash_alike_only_if_they_are_alike(left: object, right: object) -> None:
    assert (canonical_json(left) == canonical_json(right)) == (left == right and repr(left) == repr(right))


def test_every_kind_of_value_has_one_form() -> None:
    value = {
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "id": UUID(int=1),
        "price": Decimal("1.500"),
        "role": Role.ADMIN,
        "tags": {"b", "a"},
        "whole": 2.0,
    }

    assert canonical_json(value) == (
        '{"at":"2026-01-02T00:00:00+00:00","day":"2026-01-02","id":"00000000-0000-0000-0000-000000000001",'
        '"price":"1.5","role":"admin","tags":["a","b"],"whole":2}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_nan_and_infinity_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no canonical form"):
        canonical_json({"a": [value]})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical_json(object())


def test_a_plan_hash_moves_with_each_of_its_parts() -> None:
    parts = {"inputs": {"a": 1}, "state": {"rows": 2}, "operations": ["insert"]}
    hashes = {plan_hash("roster", **parts), plan_hash("schema", **parts)}
    hashes |= {plan_hash("roster", **{**parts, name: "other"}) for name in parts}

    assert len(hashes) == 5
