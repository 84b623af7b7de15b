"""CPU seconds of what the product does often, each measured in a process of its own, on the code that is on the path.

`sidebyside` runs this file with the path of one checkout after the other, so it uses only what both of them have:
routes, the handlers, `import_file`, and the builders of the tests. Prints one JSON object: figure to CPU seconds.
"""

import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import psutil

ROWS = int(os.environ.get("PROBE_ROWS", "300000"))
Seconds = dict[str, float]


class Meter:
    """CPU seconds of this process and of a server beside it."""

    def __init__(self, server_pid: int | None = None) -> None:
        self.found: Seconds = {}
        self._server = psutil.Process(server_pid) if server_pid else None

    def _used(self) -> float:
        used = time.process_time() + sum(_cpu(child) for child in psutil.Process().children(recursive=True))
        if self._server:
            used += sum(_cpu(process) for process in (self._server, *self._server.children(recursive=True)))
        return used

    async def take(self, name: str, work: Callable[[], Awaitable[object]]) -> Any:  # noqa: ANN401 - what the work gives
        """Do it and note what it used."""
        before = self._used()
        result = await work()
        self.found[name] = self._used() - before
        return result


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # an idle backend may end while it is being counted
        return 0.0
    return float(times.user + times.system)


async def tables() -> Seconds:
    """Import, difference, pages and export of a generated table on a local directory."""
    from infra.bench.datasets.generate import write
    from infra.bench.datasets.imports import ours
    from infra.bench.datasets.stores import Place
    from infra.bench.datasets.uses import commits, export, pages, shared, unshared

    meter = Meter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one, two = write(folder, ROWS)
        place = Place(folder / "local")

        async def call(work: Callable[..., object], *arguments: object) -> object:
            return work(*arguments)

        meter.found["import v1"] = ours(one, place, "v1", None)["cpu_s"]
        meter.found["import v2"] = ours(two, place, "v2", "v1")["cpu_s"]
        await meter.take("600 pages", lambda: call(pages, place, "v2"))
        await meter.take("7 differences along history", lambda: call(shared, place, "v2"))
        await meter.take("7 differences any to any", lambda: call(unshared, place, "v2"))
        await meter.take("60 commits of a row", lambda: call(commits, place))
        await meter.take("export CSV", lambda: call(export, place, "csv"))
        await meter.take("export Parquet", lambda: call(export, place, "parquet"))
    return meter.found


async def datasets() -> Seconds:
    """Merges and SQL through the routes, with a database and the emulator's S3."""
    async with AsyncExitStack() as stack:
        api, server_pid = await _datasets_api(stack)
        from tests.builders.datasets import branch, commit_rows, import_file, new_dataset, ok

        meter = Meter(server_pid)
        client = await api.analyst()
        dataset = await new_dataset(client)
        rows = "".join(f"{n},name {n % 997},{n % 1000 / 8}\n" for n in range(ROWS))
        await import_file(api, client, dataset, f"id,name,score\n{rows}".encode(), key=["id"])
        path = f"/api/datasets/{dataset}/refs"
        operations: list[dict[str, Any]] = [
            {"op": "update", "key": {"id": n}, "values": {"score": 1.5}} for n in range(0, 50_000, 100)
        ]
        inserted: list[dict[str, Any]] = [
            {"op": "insert", "values": {"id": ROWS + n, "name": "new", "score": 0.0}} for n in range(100)
        ]
        added = [{"sheet": "data", "add": [{"name": "note", "type": "string"}]}]
        commented = [{**change, "values": {**change["values"], "note": "seen"}} for change in operations]
        for name, changes, more in (
            ("plain", operations, {}),
            ("with a new column", commented, {"schema_changes": added}),
        ):
            source = name.replace(" ", "-")
            await branch(client, dataset, source)
            ok(await commit_rows(client, dataset, changes, ref=source, **more), 201)
            ok(await commit_rows(client, dataset, inserted), 201)
            inserted = [{**row, "values": {**row["values"], "id": row["values"]["id"] + 100}} for row in inserted]

            async def merge(source: str = source) -> None:
                for _ in range(5):
                    ok(await client.get(f"/api/datasets/{dataset}/compare", params={"base": "main", "head": source}))
                ok(await client.post(f"{path}/main/merge", json={"source": source}), 201)

            await meter.take(f"compare five times and merge, {name}", merge)
        ok(await client.post(f"{path}/main/sql", json={"sql": "SELECT avg(score) FROM data"}))
        await meter.take(
            "20 times SQL over the version, warm",
            lambda: _times(20, lambda: client.post(f"{path}/main/sql", json={"sql": "SELECT avg(score) FROM data"})),
        )
        return meter.found


async def _datasets_api(stack: AsyncExitStack) -> tuple[Any, int | None]:
    from dataforge.kernel.clock import SystemClock
    from dataforge.platform.db.database import Database
    from dataforge.platform.db.migrations import upgrade
    from infra.local.postgres import start
    from tests.builders.datasets import DatasetsUnderTest
    from tests.builders.emulator import emulated_aws, started_emulator

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    server = start(folder / "pg", durable=False)
    stack.callback(server.stop)
    url = server.create_database("probe")
    await asyncio.to_thread(upgrade, url)
    await asyncio.to_thread(_make_roles, url)
    aws = stack.enter_context(emulated_aws(stack.enter_context(started_emulator(folder / "aws"))))
    database = Database(url, pool_size=10)
    stack.push_async_callback(database.dispose)
    return await stack.enter_async_context(DatasetsUnderTest(database, SystemClock(), aws)), server.pid


def _make_roles(url: str) -> None:
    """The functions' roles, which the builders of the tests take; commits before they were made have none."""
    try:
        from dataforge.platform.db import roles
        from dataforge.platform.db.grants import GRANTS
    except ImportError:
        return
    roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})


async def _times(count: int, call: Callable[[], Awaitable[Any]]) -> None:
    for _ in range(count):
        answer = await call()
        answer.raise_for_status()


async def academics() -> Seconds:
    """Enrolments and catalogue requests through the routes, and a roster of 20,000 rows."""
    from dataforge.kernel.clock import FixedClock, SystemClock
    from dataforge.kernel.principal import Role
    from dataforge.platform.db.database import Database
    from dataforge.platform.db.migrations import upgrade
    from infra.bench.academics import roster
    from infra.local.postgres import start
    from tests.builders.academics import Campus
    from tests.builders.api import ApiUnderTest
    from tests.builders.time import NOW

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = start(folder / "pg", durable=False)
        stack.callback(server.stop)
        urls = [server.create_database(name) for name in ("probe", "probe_roster")]
        for url in urls:
            await asyncio.to_thread(upgrade, url)
            await asyncio.to_thread(_make_roles, url)
        meter = Meter(server.pid)
        database = Database(urls[0], pool_size=10)
        school = Campus(database, FixedClock(NOW))
        section = await school.section(capacity=400)
        students = await school.many_students(500)

        async def enrol() -> None:
            for student in students:
                await school.enroll(student, section)

        await enrol_warm(school)
        await meter.take("500 enrolments", enrol)
        async with ApiUnderTest(database, SystemClock()) as api:
            client = await api.as_role(Role.REGISTRAR)
            for warm in (5, 200):
                await meter.take("200 GETs of the catalogue", lambda: _times(warm, lambda: client.get("/api/courses")))  # noqa: B023 - called at once
        await database.dispose()
        await meter.take("roster of 20,000 rows, planned and applied", lambda: roster(urls[1], 20_000))
    return meter.found


async def enrol_warm(school: Any) -> None:  # noqa: ANN401 - a builder of the checkout's tests
    """A few enrolments elsewhere, so that imports and plans are paid for."""
    section = await school.section(capacity=5)
    for student in await school.many_students(10):
        await school.enroll(student, section)


async def cold() -> Seconds:
    """The first request or message of a cold function."""
    sys.path.append(str(Path(__file__).parent))  # checkouts before this probe have no infra.bench.cold
    from cold import all_first_seconds  # type: ignore[import-not-found]  # found on the path of the line before

    return dict(all_first_seconds(Path.cwd()))


PROBES = {"tables": tables, "datasets": datasets, "academics": academics, "cold": cold}


def main() -> None:
    """Run one probe and print what it used."""
    warnings.simplefilter("ignore", ResourceWarning)
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "POWERTOOLS_SERVICE_NAME"):
        os.environ.setdefault(name, "test")
    os.environ |= {"LOG_LEVEL": "ERROR", "POWERTOOLS_TRACE_DISABLED": "true", "MIMALLOC_PURGE_DELAY": "-1"}
    print(json.dumps(asyncio.run(PROBES[sys.argv[1]]())))


if __name__ == "__main__":
    main()
