"""Items 1, 3, 4 and 6 to 18 of the checklist: what is refused, and what is not, in both versions of the standard."""

from typing import Any

import pytest

from tests.builders.statements import changed, full_statement, statement
from tests.integration.lrs.checklist.conftest import Spoken

SAYS = "X-Experience-API-Version"
ACTIVITY = {"id": "https://example.org/courses/42"}
PART = {"objectType": "SubStatement", **statement()}
INTERACTION = {"type": "http://adlnet.gov/expapi/activities/cmi.interaction"}
CREW = {"objectType": "Group", "member": [{"mbox": "mailto:a@example.org"}]}


def interaction(kind: str, **parts: Any) -> dict[str, Any]:
    """A statement about a question."""
    return statement(object={**ACTIVITY, "definition": {**INTERACTION, "interactionType": kind, **parts}})


def by(actor: Any) -> dict[str, Any]:
    """A statement of an actor."""
    return statement(actor=actor)


def account(**values: Any) -> dict[str, Any]:
    """A statement of somebody with an account."""
    return by({"account": {"homePage": "https://hr.example.org", "name": "17", **values}})


REFUSED: dict[str, list[dict[str, Any]]] = {
    "item 07: null outside of extensions": [
        changed(full_statement(id=None), path, None)
        for path in ("/actor/name", "/verb/display", "/result/score", "/context/platform", "/object/definition/name")
    ],
    "item 08: unknown names, wrong case": [
        statement(Result={}),
        statement(extra=1),
        by({"objectType": "agent", "mbox": "mailto:a@example.org"}),
        statement(object={**ACTIVITY, "objectType": "activity"}),
        interaction("Choice"),
    ],
    "item 09: no coercion": [
        statement(result={"success": "true"}),
        statement(result={"completion": 1}),
        statement(result={"score": {"scaled": "0.5"}}),
        statement(result={"score": {"raw": True}}),
        statement(verb={"id": 7}),
    ],
    "item 10: identifiers and groups": [
        by({"mbox": "mailto:a@example.org", "openid": "https://example.org/a"}),
        by({"name": "nobody"}),
        by({"objectType": "Group"}),
        by({"objectType": "Group", "member": [CREW]}),
        statement(authority={**CREW, "member": [*CREW["member"], *CREW["member"], {"mbox": "mailto:c@example.org"}]}),
        statement(authority={"objectType": "Group", "mbox": "mailto:crew@example.org"}),
    ],
    "item 11: forms of identifiers": [
        by({"mbox": "a@example.org"}),
        by({"mbox": "mailto:nobody"}),
        by({"mbox_sha1sum": "abc"}),
        by({"openid": "me"}),
        account(homePage="hr"),
        account(name=17),
        account(name=None),
    ],
    "item 12: addresses and languages": [
        statement(verb={"id": "should fail"}),
        statement(verb={"id": "ab=c://example.org"}),
        statement(object={"id": "courses/42"}),
        statement(verb={"id": "https://example.org/v", "display": {"zh-z-aaa-z-bbb-c-ccc": "x"}}),
        statement(context={"language": "english!"}),
    ],
    "item 13: substatements": [
        statement(object={**PART, "object": PART}),
        *(statement(object={**PART, name: value}) for name, value in (
            ("id", "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"),
            ("stored", "2026-03-02T09:15:31Z"),
            ("version", "1.0.3"),
            ("authority", CREW),
            ("timestamp", "yesterday"),
            ("result", {"score": {"scaled": 2}}),
        )),
    ],
    "item 14: revision and platform": [
        statement(object=CREW, context={"revision": "3"}),
        statement(object={"objectType": "Agent", "mbox": "mailto:a@example.org"}, context={"platform": "LMS"}),
    ],
    "item 15: scores": [
        *(statement(result={"score": score}) for score in (
            {"scaled": 1.01},
            {"scaled": -1.01},
            {"raw": 5, "max": 4},
            {"raw": 1, "min": 2},
            {"min": 2, "max": 2},
            {"min": 3, "max": 2},
        )),
    ],
    "item 16: interactions": [
        interaction("true-false", choices=[{"id": "a"}]),
        interaction("choice", scale=[{"id": "a"}]),
        interaction("choice", choices=[{"id": "a"}, {"id": "a"}]),
        interaction("likert", scale=[{"description": {"en": "x"}}]),
    ],
    "item 17: what a statement came from": [
        statement(context={"statement": {"id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"}}),
        statement(context={"statement": {"objectType": "StatementRef", "id": "7"}}),
        statement(context={"contextActivities": {"sibling": [ACTIVITY]}}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("item", list(REFUSED))
async def test_what_breaks_a_rule_is_refused_with_its_place(store: Spoken, item: str) -> None:
    answers = [await store.send(body, load=False) for body in REFUSED[item]]

    assert [answer.status_code for answer in answers] == [400] * len(answers)
    assert all(answer.json()["errors"][0]["pointer"] for answer in answers)
    assert await store.records.count("intake") == 0


async def test_items_07_to_17_what_keeps_the_rules_is_taken(store: Spoken) -> None:
    good = [
        full_statement(id=None),
        statement(result={"extensions": {"https://example.org/x": None}}, context={"extensions": {}}),
        statement(verb={"id": "https://example.org/v", "display": {"sr-Latn-RS": "x", "cmn": "y"}}),
        statement(object={**PART, "timestamp": "2026-03-02T09:15:30Z", "context": {"revision": "3"}}),
        statement(context={"revision": "3", "platform": "LMS"}),
        statement(result={"score": {"scaled": -1, "raw": 1, "min": 1, "max": 2}}),
        interaction("choice", choices=[{"id": "a"}, {"id": "b"}]),
        by(CREW),
    ]

    answers = [await store.send(body, load=False) for body in good]

    assert [answer.status_code for answer in answers] == [200] * len(good)


async def test_item_15_a_number_keeps_its_digits(store: Spoken) -> None:
    await store.records.post(
        b'{"actor":{"mbox":"mailto:a@example.org"},"verb":{"id":"https://example.org/v"},'
        b'"object":{"id":"https://example.org/o"},"result":{"score":{"raw":0.1234567890123456789012345}}}',
        headers=store.headers,
    )
    await store.records.deliver()

    assert "0.1234567890123456789012345" in (await store.get()).text


async def test_item_17_one_related_activity_comes_back_as_an_array(store: Spoken) -> None:
    await store.send(statement(context={"contextActivities": {"parent": ACTIVITY}}))

    (found,) = (await store.get()).json()["statements"]

    assert found["context"]["contextActivities"] == {"parent": [ACTIVITY]}


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"objectType": "contextagent"}, False),
        ({"objectType": None}, False),
        ({"relevantTypes": []}, False),
        ({"relevantTypes": ["mentor"]}, False),
        ({"agent": None}, False),
    ],
)
async def test_item_18_context_agents_belong_to_2_0(store: Spoken, changes: dict[str, Any], allowed: bool) -> None:
    role = {
        "objectType": "contextAgent",
        "agent": {"mbox": "mailto:mentor@example.org"},
        "relevantTypes": ["https://example.org/types/mentor"],
        **changes,
    }
    given = {name: value for name, value in role.items() if value is not None}

    answer = await store.send(statement(context={"contextAgents": [given]}), load=False)

    assert answer.status_code == (200 if allowed and store.version == "2.0.0" else 400)


async def test_items_01_03_and_04_versions(store: Spoken) -> None:
    line = store.version[:3]
    answers = {
        asked: await store.records.lms.get("/xapi/statements", headers={SAYS: asked})
        for asked in (line, f"{line}.9", "0.9.9", "1.1.0", "garbage")
    }
    missing = await store.records.lms.get("/xapi/statements")

    assert [answer.status_code for answer in answers.values()] == [200, 200, 400, 400, 400]
    assert [answers[asked].headers[SAYS] for asked in (line, f"{line}.9")] == [store.version] * 2
    assert (missing.status_code, missing.headers[SAYS]) == (400, "0.95")


async def test_item_06_no_body_makes_up_for_a_credential(store: Spoken) -> None:
    bodies = ({"json": statement()}, {"content": b"{"})
    answers = [
        await store.records.lms.post("/xapi/statements", auth=auth, headers=store.headers, **body)
        for body in bodies
        for auth in ((store.records.key, "wrong"), ("", ""))
    ]

    assert [answer.status_code for answer in answers] == [401] * 4
