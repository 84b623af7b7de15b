"""POST and PUT of statements: what an LMS sees."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement


async def test_an_array_is_answered_with_its_ids_in_order(records: StoreUnderTest) -> None:
    ids = [str(uuid4()) for _ in range(3)]

    answer = await records.post([statement(id=given) for given in ids])

    assert answer.status_code == 200
    assert answer.json() == ids


async def test_an_accepted_statement_lands_in_raw_and_flat(records: StoreUnderTest) -> None:
    answer = await records.post([statement(timestamp="2026-05-04T10:00:00Z")])

    await records.deliver()

    row = await records.flat(answer.json()[0])
    assert (row.actor_key, row.completes) == ("mailto:ana.roux@example.org", True)
    assert await records.count("statements_raw") == 1


async def test_put_stores_under_the_given_id_and_answers_nothing(records: StoreUnderTest) -> None:
    given = str(uuid4())

    answer = await records.lms.put("/xapi/statements", params={"statementId": given}, json=statement(), headers=VERSION)

    await records.deliver()
    assert (answer.status_code, answer.content) == (204, b"")
    assert await records.flat(given) is not None


async def test_put_refuses_a_body_with_another_id(records: StoreUnderTest) -> None:
    answer = await records.lms.put(
        "/xapi/statements", params={"statementId": str(uuid4())}, json=statement(id=str(uuid4())), headers=VERSION
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/id"


@pytest.mark.parametrize(
    ("params", "body"),
    [
        ({}, {}),
        ({"statementId": "no-uuid"}, {}),
        ({"statementID": str(uuid4())}, {}),
        ({"statementId": str(uuid4())}, []),
    ],
)
async def test_put_refuses_a_missing_or_malformed_parameter_and_an_array(
    records: StoreUnderTest, params: dict[str, str], body: object
) -> None:
    answer = await records.lms.put("/xapi/statements", params=params, json=body, headers=VERSION)

    assert answer.status_code == 400


async def test_the_alias_names_the_queue_and_needs_no_version_header(records: StoreUnderTest) -> None:
    answer = await records.post(statement(), headers={}, path="/api/xapi/statements")

    assert answer.status_code == 200
    assert answer.json()["queued"] is True
    assert len(answer.json()["ids"]) == 1


async def test_one_bad_statement_refuses_the_whole_request_and_names_every_place(records: StoreUnderTest) -> None:
    bad = statement(actor={"mbox": "mailto:x@example.org", "openid": "https://example.org/x"}, verb={"id": "no iri"})

    answer = await records.post([statement(), bad])

    pointers = [item["pointer"] for item in answer.json()["errors"]]
    assert answer.status_code == 400
    assert "/1/actor" in pointers
    assert "/1/verb/id" in pointers
    assert await records.deliver() == 0


async def test_the_same_id_twice_in_one_request_is_refused(records: StoreUnderTest) -> None:
    given = str(uuid4())

    answer = await records.post([statement(id=given), statement(id=given.upper())])

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["rule"] == "batch.duplicate_id"


async def test_the_same_statement_again_is_fine_and_lands_once(records: StoreUnderTest) -> None:
    sent = statement(id=str(uuid4()), timestamp="2026-05-04T10:00:00Z")

    first, second = await records.post(sent), await records.post(sent)

    await records.deliver()
    assert (first.status_code, second.status_code) == (200, 200)
    assert await records.count("statements_flat") == 1


async def test_another_content_for_an_id_still_in_the_queue_is_a_conflict_that_names_it(
    records: StoreUnderTest,
) -> None:
    given = str(uuid4())
    await records.post(statement(id=given))

    answer = await records.post([statement(), statement(id=given, actor={"mbox": "mailto:other@example.org"})])

    assert (answer.status_code, answer.json()["code"]) == (409, "statement_conflict")
    assert answer.json()["ids"] == [given]


async def test_a_refused_conflict_leaves_the_other_ids_of_its_request_free(records: StoreUnderTest) -> None:
    taken, free = str(uuid4()), str(uuid4())
    await records.post(statement(id=taken))
    await records.post([statement(id=free), statement(id=taken, actor={"mbox": "mailto:other@example.org"})])

    answer = await records.post(statement(id=free, actor={"mbox": "mailto:third@example.org"}))

    assert answer.status_code == 200


async def test_another_content_for_an_id_stored_long_ago_is_a_conflict_without_a_claim(
    records: StoreUnderTest,
) -> None:
    given = str(uuid4())
    await records.post(statement(id=given))
    await records.deliver()
    await records.change("DELETE FROM records.statement_claims")

    answer = await records.post(statement(id=given, actor={"mbox": "mailto:other@example.org"}))

    assert answer.status_code == 409


async def test_a_request_without_ids_that_is_repeated_lands_once(records: StoreUnderTest) -> None:
    auth = await records.credential(deduplicate=True)
    body = [statement(timestamp=f"2026-05-04T10:00:0{second}Z") for second in range(5)]

    first, second = [await records.post(body, auth=auth) for _ in range(2)]

    await records.deliver()
    assert first.json() == second.json()
    assert await records.count("statements_flat") == 5


async def test_statements_without_ids_are_statements_of_their_own_unless_the_credential_says_otherwise(
    records: StoreUnderTest,
) -> None:
    body = statement(timestamp="2026-05-04T10:00:00Z")

    first, second = [await records.post(body) for _ in range(2)]

    await records.deliver()
    assert [UUID(answer.json()[0]).version for answer in (first, second)] == [4, 4]
    assert await records.count("statements_flat") == 2


async def test_an_empty_array_is_answered_with_an_empty_array(records: StoreUnderTest) -> None:
    answer = await records.post([])

    assert (answer.status_code, answer.json()) == (200, [])
    assert await records.deliver() == 0


async def test_a_request_larger_than_a_message_lands_whole(records: StoreUnderTest) -> None:
    text = "x" * 20_000
    body = [
        statement(timestamp=f"2026-05-04T10:{n // 60:02}:{n % 60:02}Z", result={"response": text}) for n in range(60)
    ]

    answer = await records.post(body)

    assert answer.status_code == 200
    assert await records.deliver() == 1
    assert await records.count("statements_flat") == 60


async def test_an_eleven_megabyte_body_is_refused_and_says_what_to_do(records: StoreUnderTest) -> None:
    answer = await records.post(b"[" + b" " * (11 * 1024 * 1024) + b"]")

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert answer.headers["X-Experience-API-Version"] == "1.0.3"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1,]",
        b"\xff\xfe",
        b'{"actor": "\xc3("}',
        b'{"actor":{"mbox":"mailto:a@e.org","name":"\\u0000"},"verb":{"id":"e:v"},"object":{"id":"e:o"}}',
        b'"text"',
        b"null",
        b"[[]]",
        b'{"a":1,"a":2}',
        b"[NaN]",
        b"[" * 100_000,
        b"[" * 500 + b"]" * 500,
    ],
)
async def test_a_malformed_body_is_a_problem_with_a_code_and_nothing_is_queued(
    records: StoreUnderTest, body: bytes
) -> None:
    answer = await records.post(body)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]
    assert await records.deliver() == 0


async def test_metacharacters_arrive_as_they_were_sent(records: StoreUnderTest) -> None:
    nasty = "'; DROP TABLE records.statements_raw; -- ../../etc/passwd %s :x \\ \"$1"
    answer = await records.post(
        statement(result={"response": nasty}, actor={"mbox": "mailto:a@example.org", "name": nasty})
    )
    await records.deliver()

    row = await records.flat(answer.json()[0])
    assert (row.response, row.actor_name) == (nasty, nasty)


async def test_a_wrong_content_type_is_refused(records: StoreUnderTest) -> None:
    answer = await records.lms.post(
        "/xapi/statements", content=b"{}", headers={**VERSION, "Content-Type": "multipart/form-data; boundary=x"}
    )

    assert answer.status_code == 400


async def test_an_unknown_parameter_is_refused(records: StoreUnderTest) -> None:
    answer = await records.post(statement(), path="/xapi/statements?Since=2026-01-01T00:00:00Z")

    assert (answer.status_code, answer.json()["code"]) == (400, "xapi_parameter")


async def test_stored_is_set_by_the_store_and_orders_a_request_strictly(records: StoreUnderTest) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    answer = await records.post(
        [statement(stored="2001-01-01T00:00:00Z", timestamp=f"2026-01-01T00:00:0{n}Z") for n in range(3)]
    )

    await records.deliver()

    stored = [(await records.flat(given)).stored_at for given in answer.json()]
    assert stored == sorted(set(stored))
    assert stored[0] > before


async def test_the_authority_is_the_credential_not_what_was_sent(records: StoreUnderTest) -> None:
    sent = {"objectType": "Agent", "mbox": "mailto:forged@example.org"}
    answer = await records.post(statement(authority=sent))

    await records.deliver()

    query = "SELECT payload -> 'authority' AS said, authority FROM lrs.statements WHERE statement_id = :id"
    row = (await records.rows(query, id=answer.json()[0]))[0]
    assert row.said != sent
    assert row.authority == records.key
