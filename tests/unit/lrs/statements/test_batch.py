"""From a request to statements that can be stored: ids, times, authority, and all or nothing."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from dataforge.contexts.lrs.statements.domain import (
    VOIDED,
    InvalidStatements,
    PreparedBatch,
    Rule,
    StatementsBody,
    XapiVersion,
    negotiate_version,
    parse_body,
    parse_statement_id,
    prepare_batch,
    read_json,
    with_statement_id,
)
from dataforge.kernel.errors import ValidationFailed
from tests.builders.statements import AUTHORITY, changed, full_statement, moodle_array, statement, substatement
from tests.builders.time import NOW

ID = "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"


def prepared(*made: dict[str, Any], version: XapiVersion = XapiVersion.V1_0, **changes: Any) -> PreparedBatch:
    body = parse_body(json.dumps(made).encode(), "application/json")
    return prepare_batch(
        body, **{"authority": AUTHORITY, "version": version, "now": NOW, "deduplicate": True, **changes}
    )


def test_the_senders_id_is_kept_in_lower_case() -> None:
    batch = prepared(statement(id=ID.upper()))

    assert batch.ids == [ID]
    assert batch.statements[0].payload["id"] == ID


def test_ids_are_answered_in_request_order() -> None:
    batch = prepared(statement(), statement(id=ID), statement())

    assert batch.ids[1] == ID
    assert len(set(batch.ids)) == 3


def test_a_repeated_request_without_ids_meets_its_own_ids() -> None:
    first = prepared(*moodle_array(5))
    later = prepared(*moodle_array(5), now=NOW + timedelta(minutes=7))

    assert first.ids == later.ids
    assert [one.content_sha256 for one in first.statements] == [one.content_sha256 for one in later.statements]


def test_equal_statements_of_one_request_are_different_events() -> None:
    once = moodle_array(1)[0]

    batch = prepared(once, once, once)

    assert len(set(batch.ids)) == 3
    assert batch.ids == prepared(once, once, once).ids


def test_the_same_statement_of_another_authority_is_another_statement() -> None:
    other = {"objectType": "Agent", "mbox": "mailto:other@example.org"}

    assert prepared(*moodle_array(1)).ids != prepared(*moodle_array(1), authority=other).ids


def test_without_a_timestamp_two_requests_are_two_events() -> None:
    assert prepared(statement()).ids != prepared(statement()).ids


def test_ids_are_random_unless_they_are_to_be_derived() -> None:
    first, second = (prepared(*moodle_array(3), deduplicate=False) for _ in range(2))

    assert not set(first.ids) & set(second.ids)
    assert {UUID(given).version for given in first.ids} == {4}


def test_derived_ids_do_not_change_between_releases() -> None:
    batch = prepared(statement(timestamp="2026-03-02T09:00:00Z"))

    assert batch.ids == ["e06f6c40-65d5-47c2-be5d-ee2426d4424b"]


def test_what_the_store_assigns_is_set() -> None:
    batch = prepared(statement(stored="2001-01-01T00:00:00Z", authority={"mbox": "mailto:me@example.org"}))

    payload = batch.statements[0].payload
    assert payload["stored"] == "2026-09-01T12:00:00.000000Z"
    assert payload["timestamp"] == payload["stored"]
    assert payload["authority"] == AUTHORITY
    assert payload["version"] == "1.0.0"
    assert batch.statements[0].occurred_at == batch.statements[0].stored_at == NOW


def test_the_senders_timestamp_and_version_are_kept() -> None:
    batch = prepared(statement(timestamp="2026-03-02T10:00:00+01:00", version="1.0.3"))

    assert batch.statements[0].payload["timestamp"] == "2026-03-02T10:00:00+01:00"
    assert batch.statements[0].payload["version"] == "1.0.3"
    assert batch.statements[0].occurred_at.isoformat() == "2026-03-02T09:00:00+00:00"


def test_the_default_version_is_that_of_the_request() -> None:
    assert prepared(statement(), version=XapiVersion.V2_0).statements[0].payload["version"] == "2.0.0"


def test_stored_increases_strictly_inside_a_request() -> None:
    batch = prepared(*(statement() for _ in range(100)))

    stored = [one.stored_at for one in batch.statements]
    texts = [str(one.payload["stored"]) for one in batch.statements]
    assert stored == sorted(set(stored))
    assert texts == sorted(set(texts))
    assert batch.last_stored_at == NOW + timedelta(microseconds=99)


def test_an_empty_request_stores_nothing() -> None:
    assert prepared().ids == []
    assert prepared().last_stored_at is None


def test_single_context_activities_become_arrays() -> None:
    parent = {"contextActivities": {"parent": {"id": "urn:x:p"}, "other": [{"id": "urn:x:o"}]}}

    batch = prepared(substatement(context=parent), statement(context=parent))

    wrapped = {"parent": [{"id": "urn:x:p"}], "other": [{"id": "urn:x:o"}]}
    inner: Any = batch.statements[0].payload["object"]
    outer: Any = batch.statements[1].payload["context"]
    assert inner["context"]["contextActivities"] == wrapped
    assert outer["contextActivities"] == wrapped


def test_what_was_sent_is_not_changed() -> None:
    made = substatement(context={"contextActivities": {"parent": {"id": "urn:x:p"}}})
    body = StatementsBody([made], is_array=False)

    prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=NOW)

    assert made == substatement(context={"contextActivities": {"parent": {"id": "urn:x:p"}}})


def test_a_voiding_statement_names_its_target() -> None:
    batch = prepared(
        statement(verb={"id": VOIDED}, object={"objectType": "StatementRef", "id": ID.upper()}),
        statement(),
    )

    assert [one.voids for one in batch.statements] == [UUID(ID), None]


def test_one_bad_statement_refuses_the_whole_request() -> None:
    with pytest.raises(InvalidStatements, match="at /1/verb; none of the statements") as caught:
        prepared(statement(), statement(verb={}), statement(extra=1))

    assert [found.pointer for found in caught.value.violations] == ["/1/verb", "/2/extra"]
    assert caught.value.status == 400
    assert caught.value.code == "invalid_statements"


def test_an_id_twice_in_one_request_is_refused() -> None:
    with pytest.raises(InvalidStatements) as caught:
        prepared(statement(id=ID), statement(), statement(id=ID.upper()))

    assert [(found.pointer, found.rule) for found in caught.value.violations] == [("/2/id", Rule.DUPLICATE_ID)]


def test_a_request_of_nothing_but_mistakes_is_not_reported_without_end() -> None:
    with pytest.raises(InvalidStatements) as caught:
        prepare_batch(StatementsBody([{}] * 5000, is_array=True), authority={}, version=XapiVersion.V1_0, now=NOW)

    assert len(caught.value.violations) == 1000


def test_a_prepared_statement_is_written_with_every_digit() -> None:
    body = json.dumps(full_statement()).replace("0.85", "0.8500000000000000000001").encode()

    batch = prepare_batch(parse_body(body, "application/json"), authority=AUTHORITY, version=XapiVersion.V1_0, now=NOW)

    written = batch.statements[0].to_json()
    assert b"0.8500000000000000000001" in written
    assert read_json(written) == batch.statements[0].payload


def test_the_id_of_a_put_comes_from_its_parameter() -> None:
    assert with_statement_id(statement(), UUID(ID))["id"] == ID
    assert with_statement_id(statement(id=ID.upper()), UUID(ID))["id"] == ID


def test_a_put_whose_body_names_another_id_is_refused() -> None:
    with pytest.raises(ValidationFailed) as caught:
        with_statement_id(statement(id="0190e6c9-3ef0-4ed3-8b37-7f3964730bee"), UUID(ID))

    assert [(found.pointer, found.rule) for found in caught.value.violations] == [("/id", Rule.STATEMENT_ID)]


def test_an_id_of_the_wrong_type_is_left_to_validation() -> None:
    assert with_statement_id(changed(statement(id=ID), "/id", 5), UUID(ID))["id"] == 5


def test_a_statement_id_parameter_has_the_text_form_of_rfc_4122() -> None:
    assert parse_statement_id(ID.upper()) == UUID(ID)
    assert parse_statement_id("{" + ID + "}") is None
    assert parse_statement_id(ID.replace("-", "")) is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("1.0", XapiVersion.V1_0),
        ("1.0.3", XapiVersion.V1_0),
        ("1.0.9", XapiVersion.V1_0),
        ("2.0", XapiVersion.V2_0),
        ("2.0.1", XapiVersion.V2_0),
        ("0.9.9", None),
        ("1.1.0", None),
        ("1.0.x", None),
        ("3.0.0", None),
        ("", None),
    ],
)
def test_the_version_header_chooses_the_line(header: str, expected: XapiVersion | None) -> None:
    assert negotiate_version(header) == expected
