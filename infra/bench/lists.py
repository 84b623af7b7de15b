"""What a list of 100,000 lines costs as CSV: time, and memory that must not grow with it.

Run as `python -m infra.bench.lists`. The whole app answers in this process, over a PostgreSQL and an emulator of its
own; the file is an object then. Beside it, the same lines as pages of JSON, as a program would follow them.
"""

import asyncio
import os
import resource
import secrets
import sys
import tempfile
import time
import warnings
from pathlib import Path

import httpx
from sqlalchemy import text

from infra.bench.figure import Figure, show

LINES, FEW = 100_000, 5_000
PATH = "/api/departments"
_ENVIRONMENT = {"AWS_DEFAULT_REGION": "eu-central-1", "LOG_LEVEL": "ERROR"} | dict.fromkeys(
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "POWERTOOLS_SERVICE_NAME"), "test"
)
_FILL = """
INSERT INTO academics.departments (id, code, name, created_at, updated_at)
SELECT gen_random_uuid(), 'D' || lpad(n::text, 7, '0'), 'Department ' || n, now(), now()
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n
"""


async def measure(database_url: str, bucket: str) -> list[Figure]:
    """The figures, in a database that is there."""
    from dataforge.kernel.clock import SystemClock
    from dataforge.kernel.principal import Role
    from dataforge.platform.db.database import Database
    from tests.builders.api import ApiUnderTest

    database = Database(database_url, pool_size=2)
    async with ApiUnderTest(database, SystemClock(), data_bucket=bucket) as api:
        client = await api.as_role(Role.REGISTRAR)
        async with database.transaction() as connection:
            await connection.execute(text(_FILL), {"first": 1, "last": FEW})
        assert (await client.get(PATH, params={"format": "csv"})).status_code == 200
        before = _peak()
        async with database.transaction() as connection:
            await connection.execute(text(_FILL), {"first": FEW + 1, "last": LINES})
        began, cpu = time.perf_counter(), time.process_time()
        answer = await client.get(PATH, params={"format": "csv"})
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
        grown = _peak() - before
        size = await _check(answer)
        pages = await _json_pages(client)
    await database.dispose()
    return [
        Figure(f"CSV of {LINES:,} lines, MB more than for {FEW:,}", grown, 32),
        Figure(f"CSV of {LINES:,} lines, MB of the file", size / 1e6),
        Figure(f"CSV of {LINES:,} lines, times the same as pages of JSON", seconds / pages),
        Figure(f"CSV of {LINES:,} lines, s", seconds),
        Figure(f"CSV of {LINES:,} lines, CPU-s of the process", cpu_seconds),
    ]


def _peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _check(answer: httpx.Response) -> int:
    assert answer.status_code == 303, answer.text
    size = lines = 0
    async with httpx.AsyncClient() as anybody, anybody.stream("GET", answer.headers["Location"]) as file:
        async for block in file.aiter_bytes():
            size += len(block)
            lines += block.count(b"\n")
    assert lines == LINES + 1
    return size


async def _json_pages(client: httpx.AsyncClient) -> float:
    began, path, lines = time.perf_counter(), f"{PATH}?limit=500", 0
    while path:
        body = (await client.get(path)).json()
        lines += len(body["items"])
        path = body["next"] or ""
    assert lines == LINES
    return time.perf_counter() - began


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    from dataforge.platform.db import roles
    from dataforge.platform.db.grants import GRANTS
    from dataforge.platform.db.migrations import upgrade
    from infra.local import postgres
    from tests.builders.emulator import emulated_aws, started_emulator

    for variable, value in _ENVIRONMENT.items():
        os.environ.setdefault(variable, value)
    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        server = postgres.start(Path(name) / "pg")
        try:
            url = server.create_database("lists")
            upgrade(url)
            roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
            with started_emulator(Path(name) / "emulator") as emulator, emulated_aws(emulator) as aws:
                figures = asyncio.run(measure(url, aws.bucket()))
        finally:
            server.stop()
    return min(show("lists", figures), 1)


if __name__ == "__main__":
    sys.exit(main())
