"""What holds for every statement, valid or not."""

import random
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataforge.contexts.lrs.statements.domain import (
    StatementsBody,
    XapiVersion,
    content_sha256,
    flatten_statement,
    parse_json,
    prepare_batch,
    read_json,
    read_statement,
    same_statement,
    to_json,
    validate_statement,
)
from tests.builders.statement_strategies import JSON, STATEMENTS, broken_statements
from tests.builders.statements import AUTHORITY
from tests.builders.time import NOW

thorough = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
VERSIONS = st.sampled_from(XapiVersion)


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        items = list(value.items())
        order.shuffle(items)
        return {key: shuffled(item, order) for key, item in items}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


def prepared(*made: object, version: XapiVersion = XapiVersion.V1_0, later: int = 0) -> Any:
    body = StatementsBody(list(made), is_array=True)
    later_now = NOW + timedelta(seconds=later)
    return prepare_batch(body, authority=AUTHORITY, version=version, now=later_now, deduplicate=True)


@thorough
@given(JSON, VERSIONS)
def test_validation_never_raises_on_any_json(value: Any, version: XapiVersion) -> None:
    found = validate_statement(value, version=version)

    assert isinstance(found, list)


@thorough
@given(STATEMENTS, VERSIONS)
def test_a_generated_statement_is_valid(made: dict[str, Any], version: XapiVersion) -> None:
    assert validate_statement(made, version=version) == []


@thorough
@given(broken_statements(), VERSIONS)
def test_a_statement_is_refused_with_places_or_stored_and_flattened(made: dict[str, Any], version: XapiVersion) -> None:
    found = validate_statement(made, version=version, path="/0")

    if found:
        assert all(one.pointer.startswith("/0") and one.message.endswith(".") for one in found)
    else:
        batch = prepared(made, version=version)
        assert str(flatten_statement(batch.statements[0].payload).statement_id) == batch.ids[0]


@thorough
@given(STATEMENTS)
def test_a_valid_statement_survives_the_queue_and_is_flattened(made: dict[str, Any]) -> None:
    one = prepared(made).statements[0]

    carried = read_statement(one.to_json())

    assert carried == one.payload
    assert flatten_statement(carried) == flatten_statement(one.payload)


@thorough
@given(STATEMENTS, st.randoms())
def test_the_order_of_keys_does_not_matter(made: dict[str, Any], order: random.Random) -> None:
    assert content_sha256(shuffled(made, order)) == content_sha256(made)


@thorough
@given(broken_statements())
def test_statements_that_were_never_validated_can_be_compared(made: dict[str, Any]) -> None:
    assert same_statement(made, made)


@thorough
@given(STATEMENTS)
def test_a_stored_statement_is_the_same_as_the_one_that_was_sent(made: dict[str, Any]) -> None:
    assert same_statement(prepared(made).statements[0].payload, made)


@thorough
@given(st.lists(STATEMENTS.map(lambda made: {**made, "timestamp": "2026-03-02T09:00:00Z"}), max_size=4))
def test_a_repeated_request_has_the_same_ids(made: list[dict[str, Any]]) -> None:
    anonymous = [{key: value for key, value in one.items() if key != "id"} for one in made]

    first, later = prepared(*anonymous), prepared(*anonymous, later=60)

    assert first.ids == later.ids
    assert len(set(first.ids)) == len(first.ids)


@thorough
@given(STATEMENTS)
def test_strict_reading_accepts_what_was_written(made: dict[str, Any]) -> None:
    assert parse_json(to_json(made)) == read_json(to_json(made))
