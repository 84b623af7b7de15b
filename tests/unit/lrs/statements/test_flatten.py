"""The flat row of each sender's statements, and what counts as done."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from dataforge.contexts.lrs.statements.domain import (
    VOIDED,
    FlatStatement,
    XapiVersion,
    actor_email,
    actor_key,
    flatten_statement,
    is_completion,
    parse_body,
    prepare_batch,
)
from tests.builders.statements import (
    ACTOR,
    AUTHORITY,
    articulate,
    changed,
    cmi5,
    full_statement,
    moodle_array,
    seventaps,
    statement,
    substatement,
)
from tests.builders.time import NOW


def flat(made: dict[str, Any]) -> FlatStatement:
    body = parse_body(json.dumps(made).encode(), "application/json")
    batch = prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=NOW)
    return flatten_statement(batch.statements[0].payload)


def test_every_column_of_a_full_statement() -> None:
    row = flat(full_statement())

    assert row == FlatStatement(
        statement_id=UUID("6690e6c9-3ef0-4ed3-8b37-7f3964730bee"),
        actor_key="mailto:ana.roux@example.org",
        actor_name="Ana Roux",
        actor_email="ana.roux@example.org",
        verb_id="http://adlnet.gov/expapi/verbs/completed",
        verb_display="completed",
        object_id="https://example.org/courses/42",
        object_name="Fire safety",
        object_type="Activity",
        activity_type="http://adlnet.gov/expapi/activities/cmi.interaction",
        lesson_url="https://example.org/courses/42",
        lesson_number=None,
        lesson_name=None,
        global_question=None,
        score_scaled=Decimal("0.85"),
        score_raw=Decimal(17),
        score_min=Decimal(0),
        score_max=Decimal(20),
        success=True,
        completion=True,
        completes=False,
        is_question=True,
        response="golf[,]tetris",
        duration_ms=5_404_500,
        registration=UUID("ec531277-b57b-4c15-8d91-d292c5b2b8f7"),
        platform="Example LMS",
        language="en-GB",
        cohort_key="Night shift",
        voids=None,
        occurred_at=datetime(2026, 3, 2, 9, 15, 30, 250000, UTC),
        stored_at=NOW,
    )


def test_a_small_statement_leaves_columns_empty() -> None:
    row = flat(statement())

    assert (row.score_scaled, row.success, row.completion, row.duration_ms, row.registration) == (None,) * 5
    assert row.occurred_at == row.stored_at == NOW


def test_a_moodle_course_completion() -> None:
    row = flat(moodle_array(3)[-1])

    assert row.actor_key == "https://moodle.example.org|17"
    assert row.actor_email is None
    assert row.object_name == "Fire safety"
    assert row.activity_type == "https://w3id.org/xapi/cmi5/activitytype/course"
    assert row.lesson_url == "https://moodle.example.org/course/view.php?id=42"
    assert row.platform == "Moodle"
    assert row.completes


def test_a_moodle_view_completes_nothing() -> None:
    row = flat(moodle_array(3)[0])

    assert row.verb_display == "viewed"
    assert not row.completes


def test_a_7taps_lesson() -> None:
    row = flat(seventaps(3))

    assert row.actor_key == "mailto:ana.roux@example.org"
    assert row.lesson_number == 3
    assert row.lesson_name == "Lesson 3"
    assert row.lesson_url == row.object_id == "https://app.7taps.com/courses/onboarding-3"
    assert row.global_question == "12"
    assert row.cohort_key == "Sales North"
    assert row.completes


@pytest.mark.parametrize(
    ("value", "expected"),
    [("3", 3), (3, 3), (3.0, 3), (" 12 ", 12), ("three", None), (-1, None), (10**12, None), (True, None), ([3], None),
     (None, None)],
)  # fmt: skip
def test_a_7taps_lesson_number_is_a_whole_number_or_nothing(value: object, expected: int | None) -> None:
    made = changed(seventaps(), "/context/extensions/https:~1~17taps.com~1lesson-number", value)

    assert flat(made).lesson_number == expected


def test_7taps_extensions_are_found_in_the_activity_too() -> None:
    made = statement(
        object={"id": "urn:x:1", "definition": {"extensions": {"https://www.7taps.com/ext/lesson_number": 4}}}
    )

    assert flat(made).lesson_number == 4


def test_extensions_that_only_mention_7taps_say_nothing() -> None:
    made = statement(result={"extensions": {"https://example.org/7taps/lesson-number": 4, "https://7taps.com": 1}})

    assert flat(made).lesson_number is None


def test_a_7taps_card_belongs_to_its_lesson_and_completes_it_by_verb_only() -> None:
    card = changed(seventaps(3), "/object/id", "https://app.7taps.com/courses/onboarding-3/cards/2")
    seen = changed(card, "/verb/id", "http://example.org/verbs/seen")
    seen["result"] = {"completion": True}

    assert flat(card).lesson_url == "https://app.7taps.com/courses/onboarding-3"
    assert flat(card).completes
    assert not flat(seen).completes


def test_articulate_statements() -> None:
    slide, question, course = (flat(articulate(verb)) for verb in ("experienced", "answered", "passed"))

    assert (slide.completes, question.completes, course.completes) == (False, False, True)
    assert question.response == "a"
    assert question.duration_ms == 12_430
    assert course.score_scaled == Decimal("0.9")
    assert course.object_id == "urn:articulate:storyline:5Yk2qVbZ0Xr"


def test_cmi5_statements() -> None:
    done = {verb: flat(cmi5(verb)).completes for verb in ("completed", "passed", "failed", "progressed", "satisfied")}

    assert done == {"completed": True, "passed": True, "failed": False, "progressed": False, "satisfied": True}


@pytest.mark.parametrize(
    ("verb", "result", "expected"),
    [
        ("http://adlnet.gov/expapi/verbs/completed", {"completion": False}, False),
        ("http://adlnet.gov/expapi/verbs/passed", {"success": False}, False),
        ("http://adlnet.gov/expapi/verbs/completed", {"success": False}, True),
        ("http://adlnet.gov/expapi/verbs/failed", {"completion": True, "success": False}, True),
        ("http://adlnet.gov/expapi/verbs/experienced", {"completion": True}, True),
        ("http://adlnet.gov/expapi/verbs/answered", {"completion": True}, False),
        ("http://adlnet.gov/expapi/verbs/progressed", {"completion": True}, False),
        ("http://adlnet.gov/expapi/verbs/experienced", {}, False),
        ("https://w3id.org/xapi/adl/verbs/waived", {}, True),
        ("http://adlnet.gov/expapi/verbs/mastered", {"success": True}, True),
    ],
)
def test_what_counts_as_done(verb: str, result: dict[str, object], expected: bool) -> None:
    assert is_completion(statement(verb={"id": verb}, result=result)) is expected


@pytest.mark.parametrize(
    "made",
    [
        substatement(),
        statement(object={"objectType": "Agent", "mbox": "mailto:a@b.c"}),
        statement(object={"objectType": "StatementRef", "id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"}),
        statement(object={"id": "urn:x:1", "definition": {"interactionType": "numeric"}}),
    ],
)
def test_only_an_activity_that_is_no_question_can_be_done(made: dict[str, Any]) -> None:
    assert not is_completion(made)


@pytest.mark.parametrize(
    ("target", "object_type", "object_id", "lesson_url"),
    [
        ({"id": "urn:x:1"}, "Activity", "urn:x:1", "urn:x:1"),
        ({"objectType": "Agent", "mbox": "mailto:A@b.c", "name": "A"}, "Agent", "mailto:a@b.c", None),
        ({"objectType": "Group", "name": "G", "member": []}, "Group", "name:G", None),
        ({"objectType": "StatementRef", "id": "6690E6C9-3EF0-4ED3-8B37-7F3964730BEE"}, "StatementRef",
         "6690e6c9-3ef0-4ed3-8b37-7f3964730bee", None),
        (substatement()["object"], "SubStatement", "https://example.org/courses/42", None),
    ],
)  # fmt: skip
def test_every_kind_of_object_has_an_id(
    target: dict[str, Any], object_type: str, object_id: str, lesson_url: str | None
) -> None:
    row = flat(statement(object=target))

    assert (row.object_type, row.object_id, row.lesson_url) == (object_type, object_id, lesson_url)


@pytest.mark.parametrize(
    ("actor", "key", "email"),
    [
        ({"mbox": "mailto:Ana@Example.ORG"}, "mailto:ana@example.org", "ana@example.org"),
        ({"account": {"homePage": "https://h.example", "name": "17"}, "name": "Ana"}, "https://h.example|17", None),
        ({"account": {"homePage": "https://h.example", "name": "Ana@H.example"}}, "https://h.example|Ana@H.example",
         None),
        ({"openid": "https://people.example/ana"}, "https://people.example/ana", None),
        ({"mbox_sha1sum": "EBD31E95054C018B10727CCFFD2EF2EC3A016EE9"}, "sha1:ebd31e95054c018b10727ccffd2ef2ec3a016ee9",
         None),
        ({"objectType": "Group", "name": "Team", "member": [ACTOR]}, "name:Team", None),
        ({"objectType": "Group", "member": [{"openid": "urn:x:2"}, ACTOR]}, "group:mailto:ana.roux@example.org,urn:x:2",
         None),
        ({"objectType": "Group", "member": []}, "group:", None),
    ],
)  # fmt: skip
def test_a_learner_has_one_key(actor: dict[str, Any], key: str, email: str | None) -> None:
    assert actor_key(actor) == key
    assert actor_email(actor) == email


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ({"id": "http://x.example/verbs/read", "display": {"de": "las", "en": "read"}}, "read"),
        ({"id": "http://x.example/verbs/read", "display": {"de": "las", "fr": "a lu"}}, "las"),
        ({"id": "http://x.example/verbs/read", "display": {"en-US": ""}}, "read"),
        ({"id": "http://x.example/vocabulary#read"}, "read"),
        ({"id": "urn:verb:read"}, "urn:verb:read"),
    ],
)
def test_a_verb_has_a_name_to_show(verb: dict[str, Any], expected: str) -> None:
    assert flat(statement(verb=verb)).verb_display == expected


def test_a_voiding_statement_names_what_it_withdraws() -> None:
    target = {"objectType": "StatementRef", "id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"}

    row = flat(statement(verb={"id": VOIDED}, object=target))

    assert row.voids == UUID("6690e6c9-3ef0-4ed3-8b37-7f3964730bee")
    assert not row.completes


def test_scores_keep_every_digit() -> None:
    body = json.dumps(statement(result={"score": {"raw": 0.1, "max": 7}})).replace("0.1", "0.10000000000000000001")
    batch = prepare_batch(
        parse_body(body.encode(), "application/json"), authority=AUTHORITY, version=XapiVersion.V1_0, now=NOW
    )

    row = flatten_statement(batch.statements[0].payload)

    assert row.score_raw == Decimal("0.10000000000000000001")
    assert row.score_max == Decimal(7)


def test_a_statement_that_was_never_prepared_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="after it was prepared"):
        flatten_statement(statement(id="6690e6c9-3ef0-4ed3-8b37-7f3964730bee"))
