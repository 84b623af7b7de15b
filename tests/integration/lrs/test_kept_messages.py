"""Where a queue may forget what it took, accepted statements are kept until they are loaded, once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from dataforge.contexts.lrs.load.consumers import KEPT_AFTER, load_accepted, load_kept
from dataforge.contexts.lrs.statements.kept_messages import PREFIX
from dataforge.kernel.clock import FixedClock
from dataforge.platform.aws.clients import client
from dataforge.platform.db.database import Database
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import StoreUnderTest


@pytest.fixture
async def records(emulator: EmulatedAws, database: Database) -> AsyncIterator[StoreUnderTest]:
    """xAPI app, queue and loader as on the laptop."""
    async with StoreUnderTest(emulator, database, keep_accepted=True) as records:
        yield records


def statement(**values: Any) -> dict[str, Any]:
    return {
        "actor": {"mbox": "mailto:kept@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
        "object": {"id": f"https://example.org/{uuid4()}"},
        **values,
    }


def kept(records: StoreUnderTest) -> int:
    return len(client("s3").list_objects_v2(Bucket=records.bucket, Prefix=PREFIX).get("Contents", []))


def forget_queue(records: StoreUnderTest) -> None:
    """What a kill of the emulator does to its queues."""
    client("sqs").purge_queue(QueueUrl=records.queue_url)


def later(records: StoreUnderTest, by: timedelta) -> None:
    clock = FixedClock(records.back.clock.now() + by)
    records.back.platform.clock = clock


async def test_an_accepted_request_is_kept_until_it_is_loaded(records: StoreUnderTest) -> None:
    await records.post([statement(), statement()])
    before = kept(records)

    await records.deliver()

    assert (before, kept(records)) == (1, 0)
    assert await records.count("statements_flat") == 2


async def test_what_the_queue_forgot_is_loaded_once_after_a_while(records: StoreUnderTest) -> None:
    large = [statement(result={"response": "x" * 40_000}) for _ in range(30)]
    ids = [*(await records.post(statement())).json(), *(await records.post(large)).json()]
    forget_queue(records)

    at_once = await load_kept(records.back)
    later(records, KEPT_AFTER + timedelta(seconds=1))
    first = await load_kept(records.back)
    again = await load_kept(records.back)

    assert [at_once["loaded"], first["loaded"], again["loaded"]] == [0, 2, 0]
    rows = await records.rows("SELECT statement_id FROM records.statements_flat")
    assert sorted(str(row.statement_id) for row in rows) == sorted(ids)
    assert await records.count("intake") == 0


async def test_a_message_that_comes_after_its_request_was_loaded_changes_nothing(records: StoreUnderTest) -> None:
    await records.post([statement(), statement()])
    before = await load_accepted({}, records.back)
    stored = await records.rows("SELECT statement_id, stored_at FROM records.statements_raw ORDER BY 1")

    await records.deliver()

    assert before == {"loaded": 1, "failed": 0}
    assert await records.rows("SELECT statement_id, stored_at FROM records.statements_raw ORDER BY 1") == stored
    assert await records.count("statements_flat") == 2


async def test_a_refused_request_is_not_kept(records: StoreUnderTest) -> None:
    class Closed:
        async def send(self, body: str) -> None:
            raise ConnectionError

    records.front.acceptor._queue = Closed()

    answer = await records.post(statement())

    assert (answer.status_code, kept(records)) == (503, 0)


async def test_what_cannot_be_kept_is_not_acknowledged(records: StoreUnderTest) -> None:
    class Full:
        async def keep(self, request_id: object, message: bytes) -> None:
            raise ConnectionError

        async def forget(self, request_ids: object) -> None:
            raise ConnectionError

    records.front.acceptor._kept = Full()  # type: ignore[assignment]

    answer = await records.post(statement())

    assert answer.status_code == 503
    assert await records.deliver() == 0


async def test_nothing_is_kept_where_the_queue_forgets_nothing(emulator: EmulatedAws, database: Database) -> None:
    async with StoreUnderTest(emulator, database) as records:
        await records.post(statement())

        assert kept(records) == 0
        assert await load_kept(records.back) == {"loaded": 0}


class Killed(BaseException):
    """The function ends where it is."""


async def test_a_request_whose_function_was_killed_before_it_was_sent_holds_nothing_back(
    emulator: EmulatedAws, database: Database
) -> None:
    class Deadly:
        async def send(self, body: str) -> None:
            raise Killed

    async with StoreUnderTest(emulator, database) as records:
        sending = records.front.acceptor._queue
        records.front.acceptor._queue = Deadly()
        with pytest.raises(Killed):
            await records.post(statement(id=str(uuid4())))
        records.front.acceptor._queue = sending

        at_once = await load_kept(records.back)
        later(records, KEPT_AFTER + timedelta(seconds=1))
        await records.post(statement())
        with_others_queued = await load_kept(records.back)
        await records.deliver()
        afterwards = await load_kept(records.back)

        assert (at_once, with_others_queued, afterwards) == (
            {"loaded": 0, "forgotten": 0},
            {"loaded": 0},
            {"loaded": 0, "forgotten": 1},
        )
        assert await records.count("intake") == 0
        assert (await records.rows("SELECT count(*) AS n FROM lrs.pending_statements"))[0].n == 0


async def test_what_comes_after_it_was_given_up_is_loaded_as_if_it_came_now(
    emulator: EmulatedAws, database: Database
) -> None:
    async with StoreUnderTest(emulator, database) as records:
        await records.post(statement())
        message = client("sqs").receive_message(QueueUrl=records.queue_url, VisibilityTimeout=600)["Messages"][0]
        forget_queue(records)
        later(records, KEPT_AFTER + timedelta(seconds=1))
        assert await load_kept(records.back) == {"loaded": 0, "forgotten": 1}

        client("sqs").send_message(QueueUrl=records.queue_url, MessageBody=message["Body"])
        await records.deliver()

        assert await records.count("statements_flat") == 1
