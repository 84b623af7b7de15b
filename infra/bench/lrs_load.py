"""The record store under load: what it accepts and lists, and how quickly it answers, beside another store if one runs.

Run as `python -m infra.bench.lrs_load`. Ours is the xAPI app behind one uvicorn worker, the loader in a process of its
own, PostgreSQL with fsync and the queue of the emulator, all on this machine, client included. Another store is
measured in the same run if its endpoint is given:

    --other http://127.0.0.1:8081/xapi --other-key … --other-secret … --other-process server=123 --other-process sql=124

`--stored` is how many statements ours has for the reads of the end; they are loaded in this process by the product's
own loader. A statement counts as written when a list has it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psutil
import psycopg
from sqlalchemy import text

from infra.bench.figure import Figure, show
from infra.bench.http_load import Endpoint, read, wait_until_listed, write
from infra.bench.stand import Stand, stand
from infra.bench.statements import AUTHORITY, HOME, moodle
from infra.local.layout import ROOT, SOURCE_PATH
from infra.local.ports import LOOPBACK, free_port
from infra.local.processes import recorded

CONNECTIONS = 8
_SERVE = """
import sys, uvicorn
from dataforge.bootstrap import build_platform, xapi_app
from dataforge.settings import XapiSettings
app = xapi_app(build_platform(XapiSettings.from_environment(), pool_size=int(sys.argv[2])))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), lifespan="off", log_config=None, access_log=False)
"""
_CONSUME = """
import asyncio, time
from dataforge.bootstrap import build_platform
from dataforge.contexts.lrs.module import LrsServices, MODULE
from dataforge.settings import WorkerSettings
MODULE.consumers["xapi_etl"]()
services = build_platform(WorkerSettings.from_environment()).get(LrsServices)

async def consume():
    queue = services.statements_queue
    while True:
        # As a function with a batching window gets them: until there are many, or the oldest has waited.
        received, until = list(await queue.receive(wait_seconds=1)), time.monotonic() + 0.25
        while received and len(received) < 100 and time.monotonic() < until:
            more = await queue.receive()
            received += more
            if not more:
                await asyncio.sleep(0.05)
        if received:
            failed = set(await services.statement_loader.load([item.record for item in received]))
            done = [item.receipt_handle for item in received if item.record.message_id not in failed]
            await asyncio.gather(*(queue.delete(done[first : first + 10]) for first in range(0, len(done), 10)))

asyncio.run(consume())
"""


def sent(number: int) -> dict[str, Any]:
    """Statement of a number, about 1.1 KB: 5,000 learners, 97 pages, all of them different."""
    made: dict[str, Any] = moodle(number % 5000)
    made["context"]["registration"] = f"ec531277-b57b-4c15-8d91-{number:012d}"
    del made["context"]["contextActivities"]["category"]
    stamp = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=number)
    return made | {"timestamp": stamp.isoformat()}


def bodies(first: int, count: int, size: int) -> list[bytes]:
    """Requests of `size` statements; one alone is no array."""
    made = [[sent(first + request * size + n) for n in range(size)] for request in range(count)]
    return [json.dumps(item if size > 1 else item[0]).encode() for item in made]


def cpu_of(endpoint: Endpoint) -> dict[str, float]:
    """CPU seconds so far, by role, children included."""
    found = {}
    for role, pids in endpoint.processes.items():
        trees = [item for pid in pids for item in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
        found[role] = sum(sum(process.cpu_times()[:2]) for process in trees)
    return found


class Numbers:
    """Statements that were not sent yet."""

    def __init__(self, first: int = 0) -> None:
        self._next = first

    def take(self, count: int) -> int:
        """The first of so many."""
        self._next += count
        return self._next - count


def written(name: str, endpoint: Endpoint, numbers: Numbers, *, size: int, seconds: float) -> dict[str, float]:
    """Statements a second that were accepted and listed, and CPU-ms of each by role."""
    prepared = bodies(numbers.take(int(seconds * 3000)), int(seconds * 3000) // size, size)
    write(endpoint, prepared[:16], connections=CONNECTIONS, seconds=5)
    wait_until_listed(endpoint, prepared[:16])
    before, started = cpu_of(endpoint), time.perf_counter()
    load = write(endpoint, prepared[16:], connections=CONNECTIONS, seconds=seconds)
    wait_until_listed(endpoint, load.last)
    took, count = time.perf_counter() - started, load.requests * size
    used = {role: (value - before[role]) * 1000 / count for role, value in cpu_of(endpoint).items()}
    found = {"statements": count, "accepted_per_second": count / load.seconds, "listed_per_second": count / took}
    found |= {f"cpu_ms_{role}": value for role, value in used.items()} | {"refused": sum(load.refused.values())}
    print(
        json.dumps({"store": name, "size": size} | {key: round(value, 3) for key, value in found.items()}), flush=True
    )
    return found


def filters() -> Mapping[str, dict[str, str]]:
    """What lists are asked for."""
    actor = {"account": {"homePage": HOME, "name": "17"}}
    return {
        "none": {},
        "agent": {"agent": json.dumps(actor)},
        "related agent": {"agent": json.dumps(actor), "related_agents": "true"},
        "verb": {"verb": "http://id.tincanapi.com/verb/viewed"},
        "activity": {"activity": f"{HOME}/mod/page/view.php?id=17"},
        "related activity": {"activity": f"{HOME}/course/view.php?id=42", "related_activities": "true"},
        "registration": {"registration": "ec531277-b57b-4c15-8d91-000000000017"},
        "since": {"since": "2026-01-01T00:00:00Z"},
        "until": {"until": "2126-01-01T00:00:00Z"},
        "agent and verb": {"agent": json.dumps(actor), "verb": "http://id.tincanapi.com/verb/viewed"},
        "ascending": {"ascending": "true"},
    }


def analyze(given: Stand) -> None:
    """Bring the planner's statistics up to date, as autovacuum does within a minute of so many new rows."""
    with psycopg.connect(given.database.url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")


def reads(name: str, endpoint: Endpoint, stored: int, requests: int = 200) -> dict[str, float]:
    """The 95th percentile of each filter, in milliseconds."""
    found = {}
    for what, parameters in filters().items():
        middle, high, count = read(endpoint, {"limit": "50", **parameters}, requests=requests)
        found[what] = high
        facts = {"p50_ms": round(middle, 2), "p95_ms": round(high, 2), "statements": count}
        print(json.dumps({"store": name, "stored": stored, "filter": what, **facts}), flush=True)
    return found


def overlapping(endpoint: Endpoint, given: Stand, *, writers: int = 16, requests: int = 320) -> tuple[int, int]:
    """Requests refused, and deadlocks, of many writers that define the same activities in other orders."""

    def batch(number: int) -> bytes:
        made = []
        for index in range(10):
            page = (number * 7 + (index if number % 2 else -index)) % 20
            target = {"id": f"{HOME}/overlap/{page}", "definition": {"name": {"en": f"Page {page} of {number}"}}}
            made.append({**sent(index), "id": str(uuid4()), "object": target})
        return json.dumps(made).encode()

    load = write(endpoint, [batch(number) for number in range(requests)], connections=writers, seconds=120)
    wait_until_listed(endpoint, [])
    with psycopg.connect(given.database.url) as connection:
        (deadlocks,) = connection.execute("SELECT sum(deadlocks) FROM pg_stat_database").fetchone() or (0,)
    return sum(load.refused.values()), int(deadlocks)


def fill(numbers: Numbers, count: int) -> dict[str, float]:
    """Load so many statements with the product's loader, in this process; what one took in the end, in milliseconds.

    `loader` and `sql` are CPU time of this process and of its backend, which other work on the machine does not change.
    """
    from dataforge.bootstrap import build_platform
    from dataforge.contexts.lrs.load.commands import LoadMessages, load_messages
    from dataforge.contexts.lrs.module import LrsServices
    from dataforge.contexts.lrs.statements.domain import StatementsBody, XapiVersion, prepare_batch
    from dataforge.contexts.lrs.statements.domain.messages import QueuedStatement, StatementMessage
    from dataforge.contexts.lrs.statements.repository import register_arrival
    from dataforge.contexts.lrs.unit_of_work import LrsUnitOfWork
    from dataforge.kernel.ids import uuid7
    from dataforge.platform.db.unit_of_work import run
    from dataforge.settings import WorkerSettings

    services = build_platform(WorkerSettings.from_environment()).get(LrsServices)
    lessons, batch_size, taken = services.statement_loader._lessons, 500, []  # noqa: SLF001 - what the loader is made with

    async def load() -> None:
        for _ in range(count // batch_size):
            first, request = numbers.take(batch_size), uuid7()
            stored_at = (await register_arrival(services.database, [request]))[request]
            body = StatementsBody([sent(first + n) for n in range(batch_size)], is_array=True)
            batch = prepare_batch(body, authority=AUTHORITY, version=XapiVersion.V1_0, now=stored_at)
            queued = tuple(
                QueuedStatement(item.id, bytes.fromhex(item.content_sha256), item.payload) for item in batch.statements
            )
            message = StatementMessage(request, "bench", "xapi", stored_at, registered=True, statements=queued)
            async with services.database.connect() as connection:  # another one after a while
                backend = psutil.Process((await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one())
            started, used, server = time.perf_counter(), time.process_time(), sum(backend.cpu_times()[:2])
            command = LoadMessages([message], services.home_pages, lessons)
            await run(LrsUnitOfWork(services.database, clock=services.clock), load_messages, command)
            took = time.perf_counter() - started
            taken.append((time.process_time() - used, sum(backend.cpu_times()[:2]) - server, took))
        await services.database.dispose()

    asyncio.run(load())
    last = taken[-len(taken) // 2 :][-100:]
    each = [sum(column) * 1000 / batch_size / len(last) for column in zip(*last, strict=True)]
    return dict(zip(("loader", "sql", "wall"), each, strict=True))


@contextmanager
def served(given: Stand) -> Iterator[Endpoint]:
    """Ours: one uvicorn worker and one loader."""
    port = free_port()
    environment = {**os.environ, **given.environment, "PYTHONPATH": SOURCE_PATH}
    started = [
        subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, cwd=ROOT)
        for code, arguments in ((_SERVE, (str(port), str(CONNECTIONS))), (_CONSUME, ()))
    ]
    server, consumer = (process.pid for process in started)
    try:
        _wait_for(f"http://{LOOPBACK}:{port}/xapi/about")
        queue = recorded(given.cloud.directory / "process.json")
        roles = {"accept": (server,), "load": (consumer,)}
        roles |= {"sql": (given.database.pid or 0,), "queue": (queue.pid if queue else 0,)}
        yield Endpoint(f"http://{LOOPBACK}:{port}/xapi", given.key, given.secret, roles)
    finally:
        for process in started:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    message = f"{url} does not answer"
    raise TimeoutError(message)


def other_endpoint(arguments: argparse.Namespace) -> Endpoint | None:
    """The store beside ours."""
    if arguments.other is None:
        return None
    pairs = [item.partition("=") for item in arguments.other_process]
    return Endpoint(
        arguments.other, arguments.other_key, arguments.other_secret, {role: (int(pid),) for role, _, pid in pairs}
    )


def figures(ours: Mapping[str, Any], other: Mapping[str, Any] | None) -> Iterator[Figure]:
    """What was found beside what it must not pass; ratios to the other store, where there is one."""
    batches, single = ours["batches"], ours["single"]
    yield Figure("CPU-ms to accept a statement in batches", batches["cpu_ms_accept"], 1)
    yield Figure("CPU-ms to load a statement in batches", batches["cpu_ms_load"], 1)
    yield Figure("growth of CPU time per loaded statement, PostgreSQL's included", ours["growth"], 1.2)
    yield Figure("requests refused to 16 writers", ours["refused"], 0)
    yield Figure("deadlocks of 16 writers", ours["deadlocks"], 0)
    base = ours["reads"]["none"]
    for name, value in ours["reads"].items():
        if name != "none":
            yield Figure(f"filter {name}, times no filter", value / base, 1.3)
    if other is None:
        return
    ratio = batches["listed_per_second"] / other["batches"]["listed_per_second"]
    yield Figure("in batches, times the other", ratio, 5, at_least=True)
    yield Figure("single, times the other", single["listed_per_second"] / other["single"]["listed_per_second"], 2, True)
    yield Figure("GET limit=50 p95, times the other", base / other["reads"]["none"], 0.8)


def measure(name: str, endpoint: Endpoint, numbers: Numbers, arguments: argparse.Namespace) -> dict[str, Any]:
    """Batches, then single statements."""
    seconds = arguments.seconds
    return {
        "batches": written(name, endpoint, numbers, size=50, seconds=seconds),
        "single": written(name, endpoint, numbers, size=1, seconds=seconds),
    }


def main() -> int:
    """Print what was measured, and each figure beside its limit; 1 if one was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--other")
    parser.add_argument("--other-key", default="")
    parser.add_argument("--other-secret", default="")
    parser.add_argument("--other-process", action="append", default=[], metavar="ROLE=PID")
    parser.add_argument("--other-stored", type=int, default=25_000)
    arguments = parser.parse_args()
    other, found = other_endpoint(arguments), None
    with stand() as given:
        numbers = Numbers()
        early = fill(numbers, 10_000)
        with served(given) as endpoint:
            ours = measure("ours", endpoint, numbers, arguments)
            ours["refused"], ours["deadlocks"] = overlapping(endpoint, given)
        if other is not None:
            theirs = Numbers()
            found = measure("other", other, theirs, arguments)
            while theirs.take(0) < arguments.other_stored:
                write(other, bodies(theirs.take(1000), 20, 50), connections=CONNECTIONS, seconds=60)
            found["reads"] = reads("other", other, arguments.other_stored, requests=60)
        late = fill(numbers, max(arguments.stored - numbers.take(0), 20_000))
        ours["growth"] = (late["loader"] + late["sql"]) / (early["loader"] + early["sql"])
        for stored, each in ((10_000, early), (numbers.take(0), late)):
            facts = {f"{name}_ms": round(value, 3) for name, value in each.items()}
            print(json.dumps({"store": "ours", "loaded_to": stored, **facts}), flush=True)
        analyze(given)
        with served(given) as endpoint:
            ours["reads"] = reads("ours", endpoint, arguments.stored)
        missed = show("lrs", figures(ours, found))
    print(json.dumps({"batches": ours["batches"], "single": ours["single"]}))
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
