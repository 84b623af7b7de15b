"""Schemas as people wait for them: `python -m infra.bench.schemas`, on a durable server of its own.

Previews go over HTTP through the whole app, trials included; deployments through the real `Deployer`, from its first
connection to the file of the revision, which goes into a directory. What the process and the server worked (CPU) is
said besides, as whoever else uses the machine is in the seconds.
"""

import asyncio
import os
import secrets
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psutil

from infra.bench.figure import Figure, show
from infra.local.postgres import PostgresServer, start

NEW = 200
TABLES = 500
Kind = TypeVar("Kind")


def document(tables: int, changed: str = "VARCHAR(255)") -> dict[str, Any]:
    """A schema of tables that refer to one another; the name of the first one's column has the given type."""
    found: dict[str, Any] = {"tables": [], "relationships": []}
    for number in range(tables):
        key = {"name": "id", "dataType": "BIGINT", "primaryKey": True, "identity": True}
        kind = changed if number == 0 else "VARCHAR(255)"
        columns = [
            key,
            {"name": "name", "dataType": kind, "nullable": False},
            {"name": "other_id", "dataType": "BIGINT"},
        ]
        columns += [{"name": f"value_{turn}", "dataType": "INTEGER", "default": turn} for turn in range(5)]
        indexes = [{"columns": ["other_id"]}, {"columns": ["name"], "unique": True}]
        found["tables"].append({"id": str(number), "name": f"table_{number}", "columns": columns, "indexes": indexes})
        ends = {"fk": {"table": f"table_{number}", "column": "other_id"}}
        ends["references"] = {"table": f"table_{(number + 1) % tables}", "column": "id"}
        found["relationships"].append({**ends, "onDelete": "cascade"})
    return found


class Watch:
    """Seconds of a piece of work, and the seconds of CPU that the process and the server spend on it."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = psutil.Process(server.pid)
        self.figures: list[Figure] = []

    def _used(self) -> float:
        """Those of server processes that have ended are their parent's."""
        used = time.process_time()
        for process in (self._server, *self._server.children()):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            used += times.user + times.system
            if process == self._server:
                used += times.children_user + times.children_system
        return used

    async def take(self, what: str, limit: float, work: Callable[[], Awaitable[Kind]]) -> Kind:
        """Do it, and note what it took."""
        before, began = self._used(), time.perf_counter()
        result = await work()
        self.figures.append(Figure(f"seconds to {what}", time.perf_counter() - began, limit))
        self.figures.append(Figure(f"CPU-seconds to {what}", self._used() - before))
        return result


async def measure(url: str, server: PostgresServer, directory: Path) -> list[Figure]:
    """Plan and deploy new tables; among many that are there, plan nothing and one changed column."""
    from dataforge.contexts.schemas.deployments.execution import Deployer
    from dataforge.kernel.clock import SystemClock
    from dataforge.platform.db.database import Database
    from tests.builders.api import ApiUnderTest
    from tests.builders.schemas import SchemasUnderTest
    from tests.builders.workspaces import new_workspace, person

    async def put(key: str, body: bytes) -> None:
        path = directory / key
        path.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(path.write_bytes, body)

    watch = Watch(server)
    database = Database(url.replace("postgresql:", "postgresql+psycopg:"), pool_size=2)
    async with ApiUnderTest(database, SystemClock()) as api:
        owner = await person(api, "owner")
        small, large = [
            SchemasUnderTest(api, owner, database, UUID(await new_workspace(owner, name))) for name in ("Few", "Many")
        ]
        deployer = Deployer(small.url, ["schema-proof"], put, api.platform.clock)

        async def deploy(schemas: SchemasUnderTest, plan: dict[str, Any]) -> None:
            asked = await schemas.ask_deploy(plan)
            assert asked.status_code == 202, asked.text
            assert await deployer.run(UUID(asked.json()["id"])) == "succeeded"

        async def preview(schemas: SchemasUnderTest, target: dict[str, Any]) -> dict[str, Any]:
            return await schemas.preview(*target["tables"], relationships=target["relationships"])

        await preview(small, document(1))  # a warm function has its connections
        new = document(NEW)
        plan = await watch.take(f"preview {NEW} new tables", 5, lambda: preview(small, new))
        await watch.take(f"deploy {NEW} new tables", 5, lambda: deploy(small, plan))
        many = document(TABLES)
        await deploy(large, await preview(large, many))
        await preview(large, many)
        same = await watch.take(f"preview {TABLES} tables that are there", 0.7, lambda: preview(large, many))
        wider = document(TABLES, "TEXT")
        one = await watch.take(f"preview one changed column among {TABLES} tables", 1.5, lambda: preview(large, wider))
        await watch.take("deploy one changed column", 5, lambda: deploy(large, one))
    await database.dispose()
    return [
        *watch.figures,
        Figure("changes where there are none", len(same["changes"]), 0),
        Figure("changes of one column beyond one", len(one["changes"]) - 1, 0),
    ]


def main() -> int:
    """Measure on a server of its own."""
    os.environ["LOG_LEVEL"] = "CRITICAL"  # there is no queue; the bench is the worker itself
    from dataforge.platform.db import roles
    from dataforge.platform.db.grants import GRANTS
    from dataforge.platform.db.migrations import upgrade

    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        server = start(Path(name) / "pg")
        try:
            url = server.create_database("schemas")
            upgrade(url)
            roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
            figures = asyncio.run(measure(url, server, Path(name) / "files"))
        finally:
            server.stop()
    return min(show("schemas", figures), 1)


if __name__ == "__main__":
    sys.exit(main())
