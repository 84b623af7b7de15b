"""When two statements say the same."""

from decimal import Decimal
from typing import Any

import pytest

from dataforge.contexts.lrs.statements.domain import (
    content_sha256,
    has_content,
    normal_form,
    parse_json,
    same_statement,
)
from tests.builders.statements import ACTOR, MISSING, changed, full_statement, statement, substatement, xapi_2_context

OTHER = {"mbox": "mailto:bo@example.org"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (full_statement(), full_statement(id="0190e6c9-3ef0-4ed3-8b37-7f3964730bee")),
        (full_statement(), full_statement(stored=None, authority=None, version=None, id=None)),
        (full_statement(), changed(full_statement(), "/timestamp", "2026-03-02T09:15:30.25Z")),
        (full_statement(), changed(full_statement(), "/result/duration", "PT1H30M4.5049S")),
        (full_statement(), changed(full_statement(), "/result/score/raw", 17.0)),
        (full_statement(), changed(full_statement(), "/result/score/raw", Decimal("17.000"))),
        (full_statement(), changed(full_statement(), "/context/registration", "EC531277-B57B-4C15-8D91-D292C5B2B8F7")),
        (full_statement(), changed(full_statement(), "/context/statement/id", "F1DC3573-E346-4BD0-B295-F5DDE5CBE13F")),
        (full_statement(),
         changed(full_statement(), "/context/contextActivities/parent", {"id": "https://example.org/courses/42"})),
        (statement(), changed(statement(), "/object/objectType", MISSING)),
        (statement(), changed(statement(), "/actor/objectType", MISSING)),
        (statement(actor={"objectType": "Group", "member": [ACTOR, OTHER]}),
         statement(actor={"objectType": "Group", "member": [OTHER, ACTOR]})),
        (substatement(timestamp="2026-03-02T10:00:00+01:00"), substatement(timestamp="2026-03-02T09:00:00Z")),
        (statement(context={"contextGroups": [{"objectType": "contextGroup",
                                              "group": {"objectType": "Group", "member": [ACTOR, OTHER]}}]}),
         statement(context={"contextGroups": [{"objectType": "contextGroup",
                                              "group": {"objectType": "Group", "member": [OTHER, ACTOR]}}]})),
        (statement(result={"extensions": {"urn:x:1": [1.0, {"b": 2, "a": 1e0}]}}),
         statement(result={"extensions": {"urn:x:1": [1, {"a": 1, "b": 2}]}})),
        (statement(timestamp="2026-03-02T09:00:00Z"), statement()),
    ],
)  # fmt: skip
def test_what_the_standard_lets_differ_does_not_count(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert same_statement(one, other)
    assert same_statement(other, one)


@pytest.mark.parametrize(
    "other",
    [
        changed(full_statement(), "/result/score/raw", 16),
        changed(full_statement(), "/result/success", 1),
        changed(full_statement(), "/timestamp", "2026-03-02T09:15:30.250+02:00"),
        changed(full_statement(), "/result/duration", "PT1H30M4.51S"),
        changed(full_statement(), "/actor/name", "Ana"),
        changed(full_statement(), "/object/id", "https://example.org/courses/43"),
        changed(full_statement(), "/result/extensions/https:~1~1example.org~1ext~1confidence", "0.7"),
        changed(full_statement(), "/attachments/0/length", 4097),
        full_statement(attachments=None),
        full_statement(context=None),
    ],
)
def test_what_the_statement_says_counts(other: dict[str, Any]) -> None:
    assert not same_statement(full_statement(), other)


def test_an_agent_as_object_is_not_an_activity_of_the_same_name() -> None:
    agent = statement(object={"objectType": "Agent", "mbox": "mailto:a@b.c"})

    assert normal_form(agent)["object"] == {"objectType": "Agent", "mbox": "mailto:a@b.c"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"1e23", b"100000000000000000000000", True),
        (b"9007199254740993", b"9007199254740992", False),
        (b"9007199254740992.0", b"9007199254740992", True),
        (b"0.1000000000000000055", b"0.1", False),
        (b"0.1000000000000000055", b"0.10000000000000000550", True),
        (b"12345678901234567890123456789012345678901234567890.5", b"12345678901234567890123456789012345678901234567890",
         False),
        (b"-0.0", b"0", True),
        (b"0e-30", b"0", True),
        (b"0.0000000000000000000000000000", b"0", True),
        (b"true", b"1", False),
    ],
)  # fmt: skip
def test_numbers_are_compared_by_value(one: bytes, other: bytes, same: bool) -> None:
    left, right = (statement(result={"extensions": {"urn:x:n": parse_json(text)}}) for text in (one, other))

    assert same_statement(left, right) is same


@pytest.mark.parametrize(
    "changes",
    [
        {"verb": {"id": statement()["verb"]["id"], "display": {"de": "abgeschlossen"}}},
        {"object": {**statement()["object"], "definition": {"name": {"en": "Another name"}}}},
        {"actor": {"mbox": "mailto:ana.roux@EXAMPLE.org", "name": "Ana Roux"}},
    ],
)
def test_display_definition_and_case_of_a_mail_domain_do_not_count(changes: dict[str, Any]) -> None:
    assert same_statement(statement(), statement(**changes))
    assert not same_statement(statement(), statement(actor={"mbox": "mailto:Ana.roux@example.org", "name": "Ana Roux"}))


def test_a_hash_of_former_times_is_compared_by_what_is_stored() -> None:
    sent = statement()
    stored = {**sent, "timestamp": "2026-03-02T09:15:30Z", "stored": "2026-03-02T09:15:30Z"}

    assert has_content(stored, bytes.fromhex(content_sha256(sent)))
    assert not has_content(stored, bytes.fromhex(content_sha256(statement(result={"success": True}))))


def test_the_hash_ignores_the_order_of_keys() -> None:
    one = full_statement(context=xapi_2_context())

    assert content_sha256(one) == content_sha256(dict(reversed(one.items())))
    assert len(content_sha256(one)) == 64


def test_the_statement_itself_is_left_alone() -> None:
    made = full_statement()

    normal_form(made)

    assert made == full_statement()
