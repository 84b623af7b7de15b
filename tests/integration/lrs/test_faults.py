"""What goes wrong on a statement's way: killed consumers, messages twice and in any order, races, clocks, bodies."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import event

from dataforge.contexts.lrs.statements.domain import parse_timestamp
from dataforge.contexts.lrs.statements.domain.json_text import MAX_DEPTH
from dataforge.kernel.clock import FixedClock, SystemClock
from dataforge.platform.aws.sqs import Queue, QueueRecord
from dataforge.platform.db.database import Database
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.statements import statement
from tests.integration.lrs.test_loading import events, lesson, person, voiding

AGENT = '{"mbox": "mailto:ana@example.org"}'


class Killed(BaseException):
    """Nothing that runs in the consumer catches it, as nothing catches a kill."""


@contextmanager
def killed_before(database: Database, number: int) -> Iterator[None]:
    """The consumer dies before its statement of this number; the connection is lost with what was not committed."""
    left = [number]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)
        event.remove(engine, "commit", count)


async def received(records: StoreUnderTest) -> list[QueueRecord]:
    """The messages that wait, all of them."""
    found: list[QueueRecord] = []
    while messages := await Queue(records.queue_url).receive():
        found += [item.record for item in messages]
    return found


async def everything(records: StoreUnderTest) -> tuple[Any, ...]:
    """What loading leaves behind."""
    queries = (
        "SELECT statement_id FROM records.statements_raw ORDER BY 1",
        "SELECT statement_id, voided, lesson_id, user_id FROM records.statements_flat ORDER BY 1",
        "SELECT key, statement_id, via FROM lrs.statement_keys ORDER BY 1, 2, 3",
        "SELECT statement_id, target_id FROM lrs.statement_references ORDER BY 1",
        "SELECT target_id, voided_by, applies FROM records.statement_voids ORDER BY 1",
        "SELECT reason, statement_id FROM records.quarantine ORDER BY 1, 2",
        "SELECT request_id FROM records.intake",
        "SELECT statement_id FROM lrs.pending_statements",
    )
    return tuple([[tuple(row) for row in await records.rows(query)] for query in queries])


async def test_a_consumer_killed_between_any_two_steps_leaves_all_or_nothing(records: StoreUnderTest) -> None:
    await person(records, "ana.roux@example.org")
    await lesson(records)
    sent = [statement(id=str(uuid4())), statement(), voiding(str(uuid4()))]
    ids = (await records.post(sent)).json()
    messages, kills = await received(records), 0

    while True:
        try:
            with killed_before(records.back.platform.database, kills):
                assert await records.back.statement_loader.load(messages) == []
            break
        except Killed:
            kills += 1
            await records.back.platform.database.dispose()  # a process that is killed has no connections left
        counts = {await records.count("statements_raw"), await records.count("statements_flat")}
        readable = await records.lms.get("/xapi/statements", params={"statementId": ids[0]}, headers=VERSION)
        assert counts in ({0}, {3})
        assert await records.count("intake") == (1 if counts == {0} else 0)
        assert readable.status_code == 200

    assert kills > 10
    assert (await records.count("statements_raw"), await records.count("statements_flat")) == (3, 3)
    assert sorted(item["statement_id"] for item in await events(records)) == sorted(ids[:2])


@pytest.mark.parametrize("seed", range(3))
async def test_each_message_twice_and_in_any_order_comes_to_the_same(records: StoreUnderTest, seed: int) -> None:
    chance = random.Random(seed)
    ids = [str(uuid4()) for _ in range(8)]
    bodies: list[Any] = [[statement(id=ids[n]), statement(id=ids[n + 1])] for n in range(0, 6, 2)]
    bodies += [
        voiding(ids[0]),
        voiding(ids[5]),
        statement(id=ids[6], object={"objectType": "StatementRef", "id": ids[1]}),
    ]
    bodies += [statement(id=ids[7], object={"objectType": "StatementRef", "id": ids[6]})]
    for body in bodies:
        assert (await records.post(body)).status_code == 200
    messages = await received(records)
    await records.back.statement_loader.load(messages)
    expected = await everything(records)
    await records.change(
        "TRUNCATE records.statements_raw, records.statements_flat, lrs.statement_keys, "
        "lrs.statement_references, records.statement_voids"
    )

    shuffled = [*messages, *messages]
    chance.shuffle(shuffled)
    while shuffled:
        size = chance.randint(1, 5)
        assert await records.back.statement_loader.load(shuffled[:size]) == []
        del shuffled[:size]

    assert await everything(records) == expected


async def test_of_different_statements_with_one_id_one_is_accepted_and_the_others_are_conflicts(
    records: StoreUnderTest,
) -> None:
    given = str(uuid4())
    sent = [statement(id=given, actor={"mbox": f"mailto:racer{number}@example.org"}) for number in range(8)]

    answers = await asyncio.gather(*(records.post(body) for body in sent))

    await records.deliver()
    codes = [answer.status_code for answer in answers]
    assert sorted(codes) == [200] + [409] * 7
    winner = sent[codes.index(200)]["actor"]["mbox"]
    assert (await records.flat(given)).actor_key == winner
    assert await records.count("statements_raw") == 1


async def test_a_clock_that_goes_back_puts_nothing_behind_a_bound_or_a_statement_before_it(
    records: StoreUnderTest,
) -> None:
    earlier = (await records.post(statement())).json()[0]
    await records.deliver()
    bound = await records.front.intake.consistent_through()
    records.front.acceptor._clock = FixedClock(SystemClock().now() - timedelta(hours=1))

    later = (await records.post(statement())).json()[0]
    await records.deliver()

    listed = (await records.lms.get("/xapi/statements", headers=VERSION)).json()["statements"]
    assert [item["id"] for item in listed] == [later, earlier]
    assert (parse_timestamp(listed[0]["stored"]) or bound) > bound
    assert listed[0]["stored"] > listed[1]["stored"]


def nested(depth: int) -> bytes:
    """A statement with an extension of that many levels."""
    value = b'{"deeper":' * depth + b'"leaf"' + b"}" * depth
    result = {"extensions": {"https://example.org/deep": "VALUE"}}
    return orjson.dumps(statement(result=result)).replace(b'"VALUE"', value)


async def test_a_statement_nested_a_thousand_deep_is_refused_and_one_as_deep_as_may_be_is_listed(
    records: StoreUnderTest,
) -> None:
    refused = await records.post(nested(1000))
    # The statement, its result, the extensions and their value are levels too.
    deepest = await records.post(nested(MAX_DEPTH - 3))

    await records.deliver()
    assert refused.status_code == 400
    assert refused.json()["code"]
    assert deepest.status_code == 200, deepest.text
    assert await records.count("statements_raw") == await records.count("statements_flat") == 1


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\udc00", rb"\ud800\ud800", rb"\ud83dx", rb"\ud83d\u0041"])
async def test_an_escape_that_is_half_a_character_is_refused_with_its_place(
    records: StoreUnderTest, escape: bytes
) -> None:
    body = orjson.dumps([statement(), statement(result={"response": "ESCAPE"})]).replace(b"ESCAPE", escape)

    answer = await records.post(body)

    assert answer.status_code == 400
    assert [item["pointer"] for item in answer.json()["errors"]] == ["/1/result/response"]
    assert await records.deliver() == 0


async def test_an_escape_of_a_whole_character_arrives(records: StoreUnderTest) -> None:
    body = orjson.dumps(statement(result={"response": "ESCAPE"})).replace(b"ESCAPE", rb"\ud83d\ude00")

    answer = await records.post(body)

    await records.deliver()
    assert (await records.flat(answer.json()[0])).response == "\U0001f600"


def sized(number: int) -> dict[str, Any]:
    made = statement(timestamp="2026-05-04T10:00:00Z", object={"id": f"https://example.org/{number}"})
    return {**made, "result": {"response": "x" * (400 - 27 - len(orjson.dumps(made)))}}


async def test_one_bad_statement_among_ten_thousand_refuses_all_and_its_place_is_named(
    records: StoreUnderTest,
) -> None:
    body = [sized(number) for number in range(10_000)]
    assert 390 <= len(orjson.dumps(body[5_000])) <= 410
    body[7_654]["verb"] = {"id": "no iri"}
    started = time.perf_counter()

    answer = await records.post(body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_statements")
    assert [item["pointer"] for item in answer.json()["errors"]] == ["/7654/verb/id"]
    assert "/7654/verb/id" in answer.json()["detail"]
    assert await records.deliver() == 0
    assert [await records.count(name) for name in ("intake", "statement_claims", "statements_raw")] == [0, 0, 0]
    assert time.perf_counter() - started < 29  # API Gateway waits no longer


class TestWithoutTheDatabase:
    """PostgreSQL is away for everything the endpoint does."""

    @staticmethod
    def take_away(records: StoreUnderTest) -> None:
        away = Database("postgresql://nobody@127.0.0.1:9/nothing")
        records.front.platform.database = away
        records.front.intake._database = away

    @staticmethod
    def bring_back(records: StoreUnderTest, before: Database) -> None:
        records.front.platform.database = before
        records.front.intake._database = before
        records.front.intake._open_until = 0

    async def test_statements_are_taken_and_listed_after_it_is_back(self, records: StoreUnderTest) -> None:
        before = records.front.platform.database
        self.take_away(records)

        answer = await records.post([statement(), statement(id=str(uuid4()))])
        by_id = await records.lms.get("/xapi/statements", params={"statementId": answer.json()[0]}, headers=VERSION)
        self.bring_back(records, before)
        waiting = await records.lms.get("/xapi/statements", headers=VERSION)
        await records.deliver()
        listed = await records.lms.get("/xapi/statements", headers=VERSION)

        assert (answer.status_code, by_id.status_code, by_id.headers["Retry-After"]) == (200, 503, "5")
        assert waiting.json()["statements"] == []
        assert [item["id"] for item in listed.json()["statements"]] == answer.json()[::-1]

    async def test_a_conflict_is_decided_afterwards_and_kept_with_its_place(self, records: StoreUnderTest) -> None:
        given = str(uuid4())
        await records.post(statement(id=given))
        await records.deliver()
        self.take_away(records)

        other = await records.post(statement(id=given, actor={"mbox": "mailto:b@example.org"}))
        await records.deliver()

        rows = await records.rows("SELECT reason, pointer, statement_id, error FROM records.quarantine")
        assert other.status_code == 200
        assert [(row.reason, row.pointer, str(row.statement_id)) for row in rows] == [("conflict", "/id", given)]
        assert given in rows[0].error
        assert (await records.flat(given)).actor_key == "mailto:ana.roux@example.org"

    @pytest.mark.parametrize(
        ("method", "path", "params"),
        [
            ("GET", "statements", {}),
            ("HEAD", "statements", {}),
            ("GET", "statements", {"statementId": str(uuid4())}),
            ("GET", "statements", {"voidedStatementId": str(uuid4())}),
            ("GET", "activities", {"activityId": "https://example.org/a"}),
            ("GET", "activities/state", {"activityId": "https://example.org/a", "agent": AGENT}),
            *(
                (method, path, params)
                for method in ("GET", "PUT", "POST", "DELETE")
                for path, params in (
                    ("activities/state", {"activityId": "https://example.org/a", "agent": AGENT, "stateId": "s"}),
                    ("activities/profile", {"activityId": "https://example.org/a", "profileId": "p"}),
                    ("agents/profile", {"agent": AGENT, "profileId": "p"}),
                )
            ),
        ],
    )
    async def test_what_needs_it_says_when_to_come_again(
        self, records: StoreUnderTest, method: str, path: str, params: dict[str, str]
    ) -> None:
        auth = await records.credential(scopes=("all",))
        self.take_away(records)
        content = b"{}" if method in ("PUT", "POST") else None
        headers = {**VERSION, "If-None-Match": "*"} if content else VERSION

        answer = await records.lms.request(
            method, f"/xapi/{path}", params=params, content=content, headers=headers, auth=auth
        )

        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["X-Experience-API-Version"] == "1.0.3"

    async def test_about_needs_nothing(self, records: StoreUnderTest) -> None:
        self.take_away(records)

        assert (await records.lms.get("/xapi/about")).status_code == 200
