"""What breaks while statements arrive: nothing gets lost, nothing lands twice."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg
import pytest

from infra.local import postgres, processes
from infra.local.layout import TEST
from infra.local.stack import LocalStack, start

pytestmark = pytest.mark.build
VERB = {"id": "http://adlnet.gov/expapi/verbs/experienced"}


def statements(count: int) -> list[dict[str, Any]]:
    """Statements with ids of the sender's."""
    tag = uuid4().hex
    actor = {"mbox": f"mailto:{tag}@example.org"}
    return [
        {"id": str(uuid4()), "actor": actor, "verb": VERB, "object": {"id": f"https://example.org/{tag}/{number}"}}
        for number in range(count)
    ]


def counts(stack: LocalStack, ids: Sequence[str]) -> tuple[int, int]:
    """Rows of these statements in raw and in flat."""
    query = (
        "SELECT (SELECT count(*) FROM records.statements_raw WHERE statement_id = ANY(%(ids)s::uuid[])), "
        "(SELECT count(*) FROM records.statements_flat WHERE statement_id = ANY(%(ids)s::uuid[]))"
    )
    with psycopg.connect(stack.facts["database_url"]) as connection:
        row = connection.execute(query, {"ids": list(ids)}).fetchone()
    assert row is not None
    return row[0], row[1]


@contextmanager
def database_stopped(stack: LocalStack) -> Iterator[None]:
    """PostgreSQL is down inside the block and up again, with its data, after it."""
    stack.postgres.stop()
    try:
        yield
    finally:
        postgres.start(stack.directory.postgres)


def test_statements_sent_while_postgresql_is_stopped_are_accepted_and_land_once_when_it_is_back(
    stack: LocalStack, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    before, during = statements(3), [statements(10) for _ in range(6)]
    assert lms.post("/statements", json=before).status_code == 200

    with database_stopped(stack):
        answers = [lms.post("/statements", json=body) for body in during]
        repeated = lms.post("/statements", json=during[0])
        # Long enough for the consumer to have tried and failed.
        time.sleep(6)

    ids = [item["id"] for body in (before, *during) for item in body]
    assert [answer.status_code for answer in (*answers, repeated)] == [200] * 7
    assert [answer.json() for answer in answers] == [[item["id"] for item in body] for body in during]
    eventually(lambda: counts(stack, ids) == (63, 63), "all statements in raw and flat once", within_seconds=150)
    assert lms.post("/statements", json=statements(1)).status_code == 200


def test_a_consumer_killed_in_the_middle_of_a_batch_leaves_nothing_half_done(
    stack: LocalStack, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    sent = statements(20)
    ids = [item["id"] for item in sent]

    with psycopg.connect(stack.facts["database_url"]) as blocker:
        # The consumer writes the raw rows and then waits here, inside its transaction.
        blocker.execute("LOCK TABLE records.statements_flat IN ACCESS EXCLUSIVE MODE")
        assert lms.post("/statements", json=sent).status_code == 200
        eventually(lambda: waiting_ports(stack) != [], "the consumer is in the middle of its batch")
        killed = workers_at(stack, waiting_ports(stack))
        for process in killed:
            process.kill()
        psutil.wait_procs(killed, timeout=10)

    assert killed
    eventually(lambda: counts(stack, ids) == (20, 20), "all statements in raw and flat once", within_seconds=150)


def test_acknowledged_statements_survive_a_killed_emulator(
    stack: LocalStack, lms: httpx.Client, eventually: Callable[..., None]
) -> None:
    in_flight, queued = statements(10), [statements(5) for _ in range(20)]
    large = statements(30)
    for item in large:
        item["result"] = {"response": "x" * 40_000}  # its message names an object that has the statements
    ids = [item["id"] for body in (in_flight, *queued, large) for item in body]

    with psycopg.connect(stack.facts["database_url"]) as blocker:
        blocker.execute("LOCK TABLE records.statements_flat IN ACCESS EXCLUSIVE MODE")
        assert lms.post("/statements", json=in_flight).status_code == 200
        eventually(lambda: waiting_ports(stack) != [], "a consumer has taken the first message")
        assert [lms.post("/statements", json=body).status_code for body in (*queued, large)] == [200] * 21
        killed = processes.recorded(stack.emulator.directory / "process.json")
        assert killed is not None
        processes.kill([killed])

    stack.mailbox.stop()  # as it ends with the launcher that it runs in
    stack.become(start(TEST))

    count = len(ids)
    eventually(lambda: counts(stack, ids) == (count, count), "all statements in raw and flat once")
    eventually(lambda: kept(stack) == [], "what is loaded is kept no longer")
    assert lms.post("/statements", json=statements(1)).status_code == 200


def kept(stack: LocalStack) -> list[str]:
    """Accepted requests that are not loaded yet."""
    listed = stack.emulator.client("s3").list_objects_v2(Bucket=stack.facts["data_bucket"], Prefix="accepted/")
    return [item["Key"] for item in listed.get("Contents", [])]


def waiting_ports(stack: LocalStack) -> list[int]:
    """Client ports of transactions that wait for the lock on the flat rows."""
    query = (
        "SELECT client_port FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%statements_flat%' "
        "AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(stack.facts["database_url"]) as connection:
        return [row[0] for row in connection.execute(query)]


def workers_at(stack: LocalStack, ports: Sequence[int]) -> list[psutil.Process]:
    """The function workers whose database connections these are."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != psutil.Process().pid
        and any(item.laddr and item.laddr.port in ports and item.raddr for item in connections(process))
        and stack.postgres.pid not in {parent.pid for parent in [process, *process.parents()]}
    ]


def connections(process: psutil.Process) -> Sequence[Any]:
    """Its network connections; none if it is gone or somebody else's."""
    try:
        return process.net_connections("tcp")
    except psutil.Error:
        return ()
