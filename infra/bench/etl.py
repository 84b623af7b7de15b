"""The `xapi_etl` handler on full batches into PostgreSQL: statements per second, CPU per statement and memory.

Run as `python -m infra.bench.etl`; `--statements 1000000` shows that memory stays flat. Messages are made outside of
the measured time, ten of fifty statements each per invocation, as SQS hands them over.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psutil
import psycopg

from infra.bench.stand import Stand, stand
from infra.bench.statements import AUTHORITY, moodle

MESSAGES, SIZE = 10, 50
_DONE = {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}}


def events(count: int, *, known: bool) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Invocations, and the ids of their requests; with `known` by people of ours, else by accounts of an LMS."""
    from dataforge.contexts.lrs.statements.domain import StatementsBody, XapiVersion, prepare_batch
    from dataforge.contexts.lrs.statements.domain.messages import message_json, statements_json
    from dataforge.kernel.ids import uuid7

    begin, number = datetime(2026, 1, 1, tzinfo=UTC), 0
    chance = random.Random(4)
    for _ in range(count):
        records, requests = [], []
        for _ in range(MESSAGES):
            sent = []
            for _ in range(SIZE):
                number += 1
                changes: dict[str, Any] = {"verb": _DONE} if chance.random() < 0.1 else {}
                stamp, who = (begin + timedelta(seconds=number)).isoformat(), chance.randrange(5000)
                if known:
                    changes["actor"] = {"name": f"Learner {who}", "mbox": f"mailto:learner{who}@example.org"}
                sent.append({**moodle(who), "timestamp": stamp, **changes})
            request, now = uuid7(), datetime.now(UTC)
            body = StatementsBody(list(sent), is_array=True)
            batch = prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=now)
            message = message_json(
                request_id=request,
                authority="bench",
                stored_at=now,
                registered=True,
                statements=statements_json(batch.statements),
            )
            records.append({"messageId": str(uuid4()), "body": message.decode(), "attributes": {}})
            requests.append(request)
        yield {"Records": records}, requests


def furnish(connection: "psycopg.Connection[Any]", *, known: bool) -> None:
    """People and lessons that part of the statements belong to; with `known` all of them do."""
    people, lessons = (5000, 97) if known else (2000, 50)
    connection.execute(
        "INSERT INTO identity.users (id, username, email, email_vouched, avatar, display_name, role, created_at, "
        "updated_at) SELECT gen_random_uuid(), 'learner' || n, 'learner' || n || '@example.org', true, n::text, "
        "'Learner ' || n, 'learner', now(), now() FROM generate_series(0, %s) n",
        [people - 1],
    )
    connection.execute(
        "INSERT INTO records.lessons (id, lesson_url, title, created_at, updated_at) "
        "SELECT gen_random_uuid(), 'https://moodle.example.org/mod/page/view.php?id=' || n, 'Page ' || n, now(), now() "
        "FROM generate_series(0, %s) n",
        [lessons - 1],
    )
    connection.execute(
        "INSERT INTO records.lesson_addresses (address, lesson_id, alias) SELECT lesson_url, id, false "
        "FROM records.lessons"
    )


def server_seconds(given: Stand) -> float:
    """CPU seconds the database server has used so far, its backends included."""
    server = psutil.Process(given.database.pid)
    return sum(sum(process.cpu_times()[:2]) for process in (server, *server.children(recursive=True)))


def measure(given: Stand, statements: int, *, known: bool) -> dict[str, Any]:
    """Load that many statements; memory is taken ten times on the way."""
    from dataforge.bootstrap import xapi_etl_handler

    handler, process = xapi_etl_handler(), psutil.Process()
    invocations = max(statements // (MESSAGES * SIZE), 1)
    busy = cpu = server = 0.0
    memory = []
    with psycopg.connect(given.database.url, autocommit=True) as connection:
        furnish(connection, known=known)
        for index, (event, requests) in enumerate(events(invocations, known=known)):
            with connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO records.intake (request_id) VALUES (%s)", [(item,) for item in requests]
                )
            before = server_seconds(given)
            started, used = time.perf_counter(), time.process_time()
            answer = handler(event, None)
            busy += time.perf_counter() - started
            cpu += time.process_time() - used
            server += server_seconds(given) - before
            if answer["batchItemFailures"]:
                sys.exit(f"failed: {answer}")
            if index % max(invocations // 10, 1) == 0:
                memory.append(round(process.memory_info().rss / 2**20))
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM records.statements_raw), (SELECT count(*) FROM records.statements_flat), "
            "(SELECT count(*) FROM platform.outbox)"
        ).fetchone()
    total = invocations * MESSAGES * SIZE
    if counts is None or counts[:2] != (total, total):
        sys.exit(f"{total} sent, {counts} stored")
    return {
        "statements": total,
        "statements_per_second": total / busy,
        "cpu_ms_per_statement": cpu * 1000 / total,
        "server_cpu_ms_per_statement": server * 1000 / total,
        "completions": counts[2],
        "memory_mib": memory,
    }


def main() -> None:
    """Print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=100_000)
    parser.add_argument("--known", action="store_true", help="all statements have a person and a lesson of ours")
    arguments = parser.parse_args()
    with stand() as given:
        found = measure(given, arguments.statements, known=arguments.known)
    print("| statements | per second | CPU-ms per statement | of PostgreSQL | memory, MiB: first … last |")
    print("|---|---|---|---|---|")
    print(
        f"| {found['statements']:,} | {found['statements_per_second']:.0f} | {found['cpu_ms_per_statement']:.3f} "
        f"| {found['server_cpu_ms_per_statement']:.3f} | {found['memory_mib'][1]} … {found['memory_mib'][-1]} |"
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
