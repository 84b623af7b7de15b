"""The xAPI app behind one uvicorn worker, with the emulator's queue: statements per second and CPU per statement.

Run as `python -m infra.bench.xapi_ingest`. The worker's CPU time is read from the system before and after; client,
database and emulator share the machine with it. `--ids` sends client-chosen ids, which are claimed in the database.
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
from uuid import uuid4

import httpx
import psutil

from infra.bench.stand import Stand, stand
from infra.bench.statements import moodle
from infra.local.layout import ROOT, SOURCE_PATH
from infra.local.ports import LOOPBACK, free_port

_SERVE = """
import sys, uvicorn
from dataforge.bootstrap import build_platform, xapi_app
from dataforge.settings import XapiSettings
app = xapi_app(build_platform(XapiSettings.from_environment(), pool_size=4))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), lifespan="off", log_config=None)
"""


def bodies(count: int, size: int, *, ids: bool) -> list[bytes]:
    """Requests of `size` statements; every statement is another."""

    def one(number: int) -> dict[str, object]:
        return {**moodle(number), "id": str(uuid4())} if ids else moodle(number)

    return [json.dumps([one(request * size + n) for n in range(size)]).encode() for request in range(count)]


async def load(url: str, given: Stand, requests: list[bytes], *, clients: int, seconds: float) -> tuple[int, float]:
    """Post until time or requests run out; returns statements' requests answered with 200 and the seconds it took."""
    waiting, done = iter(requests), 0
    started = time.perf_counter()
    headers = {"Content-Type": "application/json", "X-Experience-API-Version": "1.0.3"}

    async def one(client: httpx.AsyncClient) -> None:
        nonlocal done
        for body in waiting:
            answer = await client.post(url, content=body, headers=headers)
            answer.raise_for_status()
            done += 1
            if time.perf_counter() - started > seconds:
                return

    async with httpx.AsyncClient(auth=(given.key, given.secret), timeout=30) as client:
        await asyncio.gather(*(one(client) for _ in range(clients)))
    return done, time.perf_counter() - started


def measure(given: Stand, *, size: int, clients: int, seconds: float, ids: bool) -> dict[str, float]:
    """One run against a fresh worker."""
    port = free_port()
    environment = {**os.environ, **given.environment, "PYTHONPATH": SOURCE_PATH}
    server = subprocess.Popen([sys.executable, "-c", _SERVE, str(port)], env=environment, cwd=ROOT)
    try:
        url = f"http://{LOOPBACK}:{port}/xapi/statements"
        _wait_for(f"http://{LOOPBACK}:{port}/xapi/about")
        asyncio.run(load(url, given, bodies(8, size, ids=ids), clients=clients, seconds=seconds))
        process = psutil.Process(server.pid)
        prepared = bodies(int(seconds * 80), size, ids=ids)
        before = process.cpu_times()
        done, took = asyncio.run(load(url, given, prepared, clients=clients, seconds=seconds))
        after = process.cpu_times()
        cpu = after.user + after.system - before.user - before.system
        statements = done * size
        return {
            "statements": statements,
            "statements_per_second": statements / took,
            "cpu_ms_per_statement": cpu * 1000 / statements,
            "worker_busy": cpu / took,
        }
    finally:
        server.terminate()
        server.wait(timeout=30)


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


def main() -> None:
    """Print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--size", type=int, default=50, help="statements per request")
    arguments = parser.parse_args()
    found = {}
    with stand() as given:
        for name, ids in (("without ids", False), ("with ids", True)):
            found[name] = measure(
                given, size=arguments.size, clients=arguments.clients, seconds=arguments.seconds, ids=ids
            )
    print(f"| arrays of {arguments.size} | statements/s | CPU-ms per statement | worker busy |\n|---|---|---|---|")
    for name, row in found.items():
        print(
            f"| {name} | {row['statements_per_second']:.0f} | {row['cpu_ms_per_statement']:.3f} "
            f"| {row['worker_busy']:.0%} |"
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
