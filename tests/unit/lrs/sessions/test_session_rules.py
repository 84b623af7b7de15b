"""The rules of cmi5 for the statements of one session."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.lrs.sessions.domain import (
    MOVE_ON_ASKED,
    History,
    LaunchMode,
    MoveOn,
    OutsideSession,
    Session,
    SessionEnded,
    SessionRuleBroken,
    Verb,
)
from dataforge.contexts.lrs.sessions.lms_statements import SATISFIED, abandoned, launched, satisfied
from dataforge.contexts.lrs.statements.domain import VOIDED, XapiVersion, is_completion, validate_statement
from tests.builders.players import CMI5, MASTERY, MOVE_ON, Player

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SESSION, REGISTRATION = UUID(int=1, version=4), UUID(int=2, version=4)
ACTIVITY, PUBLISHER = "https://lms.example.org/lesson", "https://publisher.example.org/unit"
ACTOR = {"objectType": "Agent", "account": {"homePage": "https://dataforge.example/people", "name": "learner-1"}}
TEMPLATE = {
    "contextActivities": {"grouping": [{"id": PUBLISHER}]},
    "extensions": {
        "https://w3id.org/xapi/cmi5/context/extensions/sessionid": str(SESSION),
        MOVE_ON_ASKED: "CompletedOrPassed",
    },
}


def session(**changes: Any) -> Session:
    values: dict[str, Any] = {
        "session_id": SESSION,
        "registration": REGISTRATION,
        "activity_id": ACTIVITY,
        "actor": ACTOR,
        "launch_mode": LaunchMode.NORMAL,
        "move_on": MoveOn.COMPLETED_OR_PASSED,
        "mastery_score": Decimal("0.8"),
        "publisher_id": PUBLISHER,
        "said": {},
    }
    return Session(**{**values, **changes})


def player(**data: Any) -> Player:
    launch = {"registration": str(REGISTRATION), "actor": ACTOR, "activity_id": ACTIVITY}
    return Player(launch, {"contextTemplate": TEMPLATE, "masteryScore": 0.8, **data}, begun=NOW)


def after(*verbs: str, **changes: Any) -> tuple[Session, Player]:
    """A session in which these were said, and its player."""
    speaking, found = player(), session(**changes)
    for verb in verbs:
        found = found.admit([speaking.says(verb)], History(), NOW)
    return found, speaking


def test_a_session_takes_what_a_player_says_in_order() -> None:
    speaking = player()
    sent = [
        speaking.says("initialized"),
        speaking.also_says("experienced"),
        speaking.says("completed"),
        speaking.says("passed", score=0.8),
        speaking.says("terminated"),
    ]

    found = session().admit(sent, History(), NOW)

    assert set(found.said) == {Verb.INITIALIZED, Verb.COMPLETED, Verb.PASSED, Verb.TERMINATED}
    assert found.terminated_at is not None
    assert found.admit(sent[:1] + sent[2:], History(), NOW) == found


def test_the_order_is_that_of_the_timestamps() -> None:
    speaking = player()
    first, second = speaking.says("initialized"), speaking.says("completed")

    assert set(session().admit([second, first], History(), NOW).said) == {Verb.INITIALIZED, Verb.COMPLETED}


@pytest.mark.parametrize(
    ("said", "verb", "history"),
    [
        ((), "completed", History()),
        ((), "terminated", History()),
        (("initialized",), "initialized", History()),
        (("initialized", "completed"), "completed", History()),
        (("initialized", "passed"), "failed", History()),
        (("initialized", "failed"), "passed", History()),
        (("initialized",), "completed", History(completed=True)),
        (("initialized",), "passed", History(passed=True)),
        (("initialized",), "failed", History(passed=True)),
        (("initialized",), "launched", History()),
    ],
)
def test_a_verb_out_of_order_is_refused(said: tuple[str, ...], verb: str, history: History) -> None:
    found, speaking = after(*said)

    with pytest.raises(SessionRuleBroken):
        found.admit([speaking.says(verb)], history, NOW)


def test_a_failed_session_may_be_followed_by_a_passed_one() -> None:
    found, speaking = after("initialized")

    assert Verb.PASSED in found.admit([speaking.says("passed")], History(completed=True), NOW).said


def test_terminated_is_the_last_and_late_ones_come_in_for_two_minutes() -> None:
    speaking = player()
    found = session().admit([speaking.says("initialized")], History(), NOW)
    late, last = speaking.also_says("experienced"), speaking.says("terminated")
    ended = found.admit([last], History(), NOW)
    closed = Session(**{name: getattr(ended, name) for name in ended.__slots__} | {"ended_at": NOW})

    assert closed.admit([late], History(), NOW + timedelta(minutes=1)) == closed
    with pytest.raises(SessionEnded):
        closed.admit([late], History(), NOW + timedelta(minutes=3))
    with pytest.raises(SessionEnded):
        closed.admit([speaking.also_says("experienced")], History(), NOW)


Change = Callable[[dict[str, Any]], None]


def without(*path: str) -> Change:
    def change(made: dict[str, Any]) -> None:
        part = made
        for name in path[:-1]:
            part = part[name]
        del part[path[-1]]

    return change


def put(value: Any, *path: str) -> Change:
    def change(made: dict[str, Any]) -> None:
        part = made
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = value

    return change


def defined(verb: str, **changes: Any) -> dict[str, Any]:
    """A statement whose parts may be changed."""
    made = player().says(verb, **changes)
    context = {**made["context"], "extensions": {**made["context"]["extensions"]}}
    context["contextActivities"] = {name: [*items] for name, items in context["contextActivities"].items()}
    return {**made, "timestamp": "2026-11-29T13:00:00Z", "context": context, "result": {**made.get("result", {})}}


@pytest.mark.parametrize(
    ("verb", "change", "place"),
    [
        ("completed", put("https://other.example", "object", "id"), "/object/id"),
        ("completed", without("result", "completion"), "/result/completion"),
        ("completed", put(False, "result", "completion"), "/result/completion"),
        ("completed", put(True, "result", "success"), "/result/success"),
        ("passed", put(False, "result", "success"), "/result/success"),
        ("passed", put(True, "result", "completion"), "/result/completion"),
        ("failed", without("result", "success"), "/result/success"),
        ("completed", without("result", "duration"), "/result/duration"),
        ("terminated", without("result", "duration"), "/result/duration"),
        ("completed", put([CMI5], "context", "contextActivities", "category"), "/context/contextActivities/category"),
        ("terminated", put([CMI5, MOVE_ON], "context", "contextActivities", "category"),
         "/context/contextActivities/category"),
        ("completed", put([], "context", "contextActivities", "grouping"), "/context/contextActivities/grouping"),
        ("completed", put({"scaled": 1}, "result", "score"), "/result/score"),
        ("passed", put({"raw": 3}, "result", "score"), "/result/score"),
        ("failed", put({"scaled": -0.5}, "result", "score"), "/result/score/scaled"),
        ("passed", put({"scaled": 0.79}, "result", "score"), "/result/score/scaled"),
        ("failed", put({"scaled": 0.8}, "result", "score"), "/result/score/scaled"),
        ("passed", put({"scaled": 0.9}, "result", "score"), "/context/extensions"),
    ],
)  # fmt: skip
def test_a_defined_statement_keeps_every_rule(verb: str, change: Change, place: str) -> None:
    found, _ = after("initialized")
    made = defined(verb)
    change(made)

    with pytest.raises(SessionRuleBroken) as caught:
        found.admit([made], History(), NOW)

    assert [violation.pointer for violation in caught.value.violations] == [place]


@pytest.mark.parametrize(
    "change",
    [
        put({"mbox": "mailto:ben@example.org"}, "actor"),
        put({"objectType": "Group", "account": ACTOR["account"]}, "actor"),
        put(str(uuid4()), "context", "registration"),
        without("context", "registration"),
        put({}, "context", "extensions"),
        put({"id": VOIDED}, "verb"),
    ],
)
def test_what_is_not_of_the_session_is_refused(change: Change) -> None:
    made = defined("initialized")
    change(made)

    with pytest.raises(OutsideSession):
        session().admit([made], History(), NOW)


@pytest.mark.parametrize(
    "change", [without("context", "extensions", MOVE_ON_ASKED), put("Passed", "context", "extensions", MOVE_ON_ASKED)]
)
def test_the_template_stays_as_it_is_in_every_statement(change: Change) -> None:
    found, _ = after("initialized")
    made = defined("experienced")
    made["context"]["contextActivities"]["category"] = []
    change(made)

    with pytest.raises(SessionRuleBroken):
        found.admit([made], History(), NOW)


@given(st.lists(st.sampled_from(["initialized", "completed", "passed", "failed", "terminated", "experienced"])))
def test_whatever_a_player_sends_a_session_keeps_its_order(verbs: list[str]) -> None:
    speaking, found, taken = player(), session(), []
    for verb in verbs:
        made = speaking.also_says(verb) if verb == "experienced" else speaking.says(verb)
        with suppress(SessionRuleBroken, SessionEnded):
            found = found.admit([made], History(), NOW)
            taken.append(verb)

    defined_verbs = [verb for verb in taken if verb != "experienced"]
    assert len(set(defined_verbs)) == len(defined_verbs) == len(found.said)
    assert not {"passed", "failed"} <= set(taken)
    assert taken[:1] in ([], ["initialized"])
    assert "terminated" not in taken[:-1]


def test_the_place_of_a_fault_in_a_request_is_named() -> None:
    speaking = player()

    with pytest.raises(SessionRuleBroken) as caught:
        session().admit([speaking.says("initialized"), speaking.says("initialized")], History(), NOW)

    assert caught.value.violations[0].pointer == "/1/verb/id"


def test_without_a_mastery_score_the_player_judges() -> None:
    found, speaking = after("initialized", mastery_score=None)

    assert Verb.PASSED in found.admit([speaking.says("passed", score=0.1)], History(), NOW).said


@given(st.sampled_from(MoveOn), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_lesson_is_satisfied_once_and_by_what_it_asks_for(
    move_on: MoveOn, completed: bool, passed: bool, before: bool, satisfied_before: bool
) -> None:
    said = {Verb.COMPLETED: uuid4()} if completed else {}
    found = session(move_on=move_on, said=said)
    history = History(completed=before, passed=passed, satisfied=satisfied_before)

    done = completed or before
    wanted = {
        MoveOn.COMPLETED: done,
        MoveOn.PASSED: passed,
        MoveOn.COMPLETED_AND_PASSED: done and passed,
        MoveOn.COMPLETED_OR_PASSED: done or passed,
        MoveOn.NOT_APPLICABLE: True,
    }
    assert found.is_satisfied(history) is (wanted[move_on] and not satisfied_before)
    assert session(move_on=move_on, launch_mode=LaunchMode.BROWSE, said=said).is_satisfied(history) is False


def test_what_the_launching_system_says_is_valid_in_both_versions() -> None:
    found = session()
    made = [
        launched(found, "https://content.example.org/unit", "theme=dark", NOW),
        satisfied(found, NOW),
        abandoned(found, 61.5, NOW),
    ]

    for statement in made:
        for version in XapiVersion:
            assert validate_statement(statement, version=version) == []
    assert [is_completion(statement) for statement in made] == [False, True, False]
    assert made[2]["result"] == {"duration": "PT61.50S"}
    assert made[0]["context"]["extensions"][MASTERY] == Decimal("0.8")  # type: ignore[index]
    assert made[1]["verb"]["id"] == SATISFIED  # type: ignore[index]


@pytest.mark.parametrize(
    ("move_on", "completing"),
    [
        ("Passed", {"passed"}),
        ("Completed", {"completed"}),
        ("CompletedOrPassed", {"passed", "completed"}),
        ("CompletedAndPassed", set()),
        ("NotApplicable", set()),
    ],
)
def test_a_verb_completes_as_far_as_the_move_on_in_its_context_says(move_on: str, completing: set[str]) -> None:
    template = {**TEMPLATE, "extensions": {**TEMPLATE["extensions"], MOVE_ON_ASKED: move_on}}
    speaking = player(contextTemplate=template)

    found = {verb for verb in ("passed", "completed", "failed") if is_completion(speaking.says(verb))}
    added = [verb for verb in ("passed", "completed", "satisfied") if is_completion(speaking.also_says(verb))]

    assert (found, added) == (completing, [])
