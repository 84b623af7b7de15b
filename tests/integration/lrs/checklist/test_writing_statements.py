"""Items 19 to 26 of the checklist: ids, what the store sets, duplicates and batches."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.builders.statements import statement
from tests.integration.lrs.checklist.conftest import Spoken


async def put(store: Spoken, body: Any, **parameters: str) -> int:
    """PUT a statement; the status."""
    answer = await store.records.lms.put("/xapi/statements", params=parameters, json=body, headers=store.headers)
    await store.records.deliver()
    return answer.status_code


async def test_item_19_ids_are_uuids_in_text_form_compared_without_letter_case(store: Spoken) -> None:
    said = statement(id=str(uuid4()).upper())

    assert (await store.send(said)).json() == [said["id"].lower()]
    assert (await store.get(statementId=said["id"])).status_code == 200
    assert (await store.send(statement(id="{" + str(uuid4()) + "}"))).status_code == 400


@pytest.mark.parametrize("changes", [{}, {"timestamp": "2026-03-02T09:15:30Z"}])
async def test_item_19_ids_that_the_store_assigns_are_version_4(store: Spoken, changes: dict[str, str]) -> None:
    found = UUID((await store.send(statement(**changes))).json()[0])

    assert (found.version, found.variant) == (4, "specified in RFC 4122")


async def test_item_19_put_needs_the_id_that_its_body_has(store: Spoken) -> None:
    one, other = str(uuid4()), str(uuid4())

    assert await put(store, statement()) == 400
    assert await put(store, statement(id=other), statementId=one) == 400
    assert await put(store, statement(id=one.upper()), statementId=one) == 204
    assert await put(store, [statement()], statementId=one) == 400


async def test_item_21_the_store_sets_stored_and_authority_and_keeps_the_version(store: Spoken) -> None:
    given = statement(stored="2001-01-01T00:00:00Z", authority={"mbox": "mailto:me@example.org"})
    await store.send(given)
    await store.send(statement(version="1.0.2"))

    kept, set_ = (await store.get()).json()["statements"]

    assert set_["stored"] > "2026"
    assert set_["authority"]["account"]["name"] == store.records.key
    assert set_["version"] == ("2.0.0" if store.version == "2.0.0" else "1.0.0")
    assert kept["version"] == "1.0.2"


async def test_item_22_a_duration_is_kept_as_it_was_written(store: Spoken) -> None:
    said = statement(id=str(uuid4()), result={"duration": "PT1H0M0.1237S"})

    assert (await store.send(said)).status_code == 200
    assert (await store.get(statementId=said["id"])).json()["result"] == said["result"]
    assert (await store.send(statement(result={"duration": "PA1H0M0S"}))).status_code == 400


@pytest.mark.parametrize("load", [False, True])
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"de": "fertig"}}}, 200),
        ({"actor": {"name": "Ana Roux", "mbox": "mailto:ana.roux@Example.ORG"}}, 200),
        ({"object": {"id": "https://example.org/courses/42", "definition": {"name": {"en": "Other"}}}}, 200),
        ({"version": "1.0.3", "stored": "2001-01-01T00:00:00Z"}, 200),
        ({"result": {"success": True}}, 409),
    ],
)
async def test_items_23_and_24_the_same_again_is_fine_and_another_content_is_a_conflict(
    store: Spoken, load: bool, changes: dict[str, Any], status: int
) -> None:
    said = statement(id=str(uuid4()))
    await store.send(said, load=load)
    before = (await store.get(statementId=said["id"])).json()

    answer = await store.send({**said, **changes})

    assert answer.status_code == status
    assert {**(await store.get(statementId=said["id"])).json(), "stored": ""} == {**before, "stored": ""}
    assert await store.records.count("quarantine WHERE reason <> 'refused'") == 0


async def test_item_24_a_hash_that_was_stored_in_another_form_makes_no_conflict(store: Spoken) -> None:
    said = statement(id=str(uuid4()))
    await store.send(said)
    await store.records.change("UPDATE records.statements_raw SET payload_sha256 = '\\x00'")
    await store.records.change("DELETE FROM records.statement_claims")

    assert (await store.send(said)).status_code == 200
    assert (await store.send({**said, "result": {"success": True}})).status_code == 409
    assert await store.records.count("quarantine WHERE reason <> 'refused'") == 0


async def test_item_25_one_bad_statement_or_an_id_given_twice_refuses_all(store: Spoken) -> None:
    said = statement(id=str(uuid4()))

    twice = await store.send(said, {**said, "result": {"success": True}})
    bad = await store.send(statement(), statement(verb=None))

    assert [twice.status_code, bad.status_code] == [400, 400]
    assert (twice.json()["errors"][0]["pointer"], bad.json()["errors"][0]["pointer"]) == ("/1/id", "/1")
    assert await store.ids() == []


async def test_item_26_post_answers_the_ids_in_order_and_put_nothing(store: Spoken) -> None:
    batch = [statement(id=str(uuid4())) for _ in range(3)]

    assert (await store.send(*batch)).json() == [item["id"] for item in batch]
    assert await put(store, statement(), statementId=str(uuid4())) == 204
