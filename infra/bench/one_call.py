"""A file of 1 MB as a commit: with one call, and as the import of an upload, in turns.

Run as `python -m infra.bench.one_call`. The app answers in this process, over a database and a bucket of its own. The
limit is for the whole call (sign-in checked, file kept, job made, imported, answered) beside the work of the
import alone, without the requests that bring its file; medians of the rounds, whose pairs see the same machine.
"""

import asyncio
import os
import secrets
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from uuid import UUID

from infra.bench.figure import Figure, show

ROUNDS, BYTES = 15, 1_000_000
_LINE = "{at},S{at:06},First{at},Last{at},user{at}@example.org,2026-09-{day:02},{half},{at},true,Blue,East,ok\n"
_HEAD = "id,number,first,last,email,since,score,points,active,group,team,note\n"


def file_of(size: int) -> bytes:
    """A roster of about this many bytes, twelve columns of several types."""
    lines, length, at = [_HEAD], len(_HEAD), 0
    while length < size:
        at += 1
        lines.append(_LINE.format(at=at, day=at % 28 + 1, half=at % 200 / 2))
        length += len(lines[-1])
    return "".join(lines).encode()


async def measure(database_url: str) -> list[Figure]:
    """The figures, in a database that is there."""
    from dataforge.kernel.clock import SystemClock
    from dataforge.platform.db.database import Database
    from infra.local.emulator import Emulator
    from tests.builders.datasets import DatasetsUnderTest, new_dataset, ok, upload_file
    from tests.builders.emulator import EmulatedAws

    data, calls, imports, whole = file_of(BYTES), [], [], []
    database = Database(database_url, pool_size=4)
    async with DatasetsUnderTest(database, SystemClock(), EmulatedAws(Emulator(Path(), 0))) as datasets:
        client = await datasets.analyst()
        for number in range(ROUNDS + 1):
            sent, uploaded = [await new_dataset(client, f"{name} {number}") for name in ("sent", "uploaded")]
            began = time.perf_counter()
            ok(await client.put(f"/api/datasets/{sent}/refs/main/file", content=data, params={"key": "id"}), 201)
            calls.append(time.perf_counter() - began)
            began = time.perf_counter()
            job = await upload_file(client, uploaded, data, key=["id"])
            there = time.perf_counter()
            await datasets.work_on(UUID(job["id"]))
            imports.append(time.perf_counter() - there)
            whole.append(time.perf_counter() - began)
    await database.dispose()
    # The first round also opens connections and imports what it needs.
    call, work, upload = (statistics.median(seconds[1:]) for seconds in (calls, imports, whole))
    return [
        Figure("1 MB in one call, ms", call * 1000),
        Figure("its import, ms", work * 1000),
        Figure("its upload in parts and import, ms", upload * 1000),
        Figure("1 MB in one call, times its import", call / work, 1.5),
    ]


def main() -> int:
    """Print the figures; 1 when the limit was missed."""
    from dataforge.platform.db import roles
    from dataforge.platform.db.grants import GRANTS
    from dataforge.platform.db.migrations import upgrade
    from infra.local import emulator, postgres
    from infra.local.layout import StackDirectory

    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        server = postgres.start(Path(name) / "pg")
        try:
            cloud = emulator.start(StackDirectory(root=Path(name), stack_name="bench", preferred_port=None))
            try:
                environment = {"POWERTOOLS_TRACE_DISABLED": "true", "LOG_LEVEL": "WARNING"}
                # Buckets of the tests are made anywhere but in us-east-1, which takes no constraint.
                environment |= dict.fromkeys(("AWS_DEFAULT_REGION", "AWS_REGION"), "eu-central-1")
                os.environ.update({**cloud.environment(), **environment})
                url = server.create_database("one_call")
                upgrade(url)
                roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
                return min(show("one call", asyncio.run(measure(url))), 1)
            finally:
                cloud.stop()
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
