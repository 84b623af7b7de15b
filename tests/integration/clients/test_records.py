"""Learning records from Python: sent in bulk, found again."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dataforge_client import ApiError, AsyncClient, Client, NotConfigured, NotFound
from tests.builders.served import ServedApi

COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
ADA = {"mbox": "mailto:ada@example.org"}


def statement(number: int, **values: Any) -> dict[str, Any]:
    target = {"id": f"https://lms.example.org/courses/{number}"}
    return {"actor": ADA, "verb": {"id": COMPLETED}, "object": target, **values}


@pytest.fixture
def lms(served: ServedApi) -> Iterator[Client]:
    with Client(served.url, xapi=served.credential()) as client:
        yield client


def test_statements_are_sent_in_pieces_and_found_page_by_page(served: ServedApi, lms: Client) -> None:
    ended = datetime(2026, 5, 4, 10, tzinfo=UTC)

    sent = lms.lrs.send(statement(number, timestamp=ended) for number in range(1200))
    served.deliver()

    assert (sent.accepted, sent.refused) == (1200, [])
    posts = [path for method, path, _ in served.requests if (method, path) == ("POST", "/xapi/statements")]
    assert len(posts) == 3
    found = list(lms.lrs.query(verb=COMPLETED, agent=ADA, limit=500))
    assert len({item["object"]["id"] for item in found}) == 1200
    assert lms.lrs.get(found[0]["id"]) == found[0]
    assert not list(lms.lrs.query(since=datetime.now(UTC), activity="https://lms.example.org/none"))


def test_what_the_store_refuses_is_raised_or_listed(lms: Client) -> None:
    statements = [statement(number) for number in range(9)]
    statements[4] = {**statements[4], "verb": {"id": "no IRI"}}

    with pytest.raises(ApiError) as raised:
        lms.lrs.send(statements)
    sent = lms.lrs.send(statements, skip_refused=True)

    assert raised.value.status == 400
    assert sent.accepted == 8
    assert [item.statement["verb"] for item in sent.refused] == [{"id": "no IRI"}]
    assert sent.refused[0].error.status == 400


def test_a_statement_is_voided(served: ServedApi, lms: Client) -> None:
    lms.lrs.send([statement(1, id="01a1f0c2-7c2e-4f6e-9d0c-000000000001")])
    served.deliver()

    lms.lrs.void("01a1f0c2-7c2e-4f6e-9d0c-000000000001", actor=ADA)
    served.deliver()

    with pytest.raises(NotFound):
        lms.lrs.get("01a1f0c2-7c2e-4f6e-9d0c-000000000001")


def test_without_a_credential_it_says_what_is_missing(client: Client) -> None:
    with pytest.raises(NotConfigured, match="DATAFORGE_XAPI_KEY"):
        client.lrs.send([statement(1)])


def test_what_is_no_json_is_refused_before_anything_is_sent(lms: Client, served: ServedApi) -> None:
    with pytest.raises(TypeError, match="cannot have"):
        lms.lrs.send([statement(1, result={"score": {"raw": {1, 2}}})])

    assert not served.requests


async def test_records_can_be_awaited_as_well(served: ServedApi) -> None:
    async with AsyncClient(served.url, xapi=served.credential()) as lms:
        sent = await lms.lrs.send(statement(number) for number in range(3))
        served.deliver()
        found = [item async for item in lms.lrs.query(limit=2)]

    assert sent.accepted == len(found) == 3
