"""How long a list of workspaces takes through the HTTP handler: fifty of them, each with 100 repos and 20 vaults.

Run as `python -m infra.bench.workspaces`. The whole app answers in this process, beside 2,000 workspaces of others. The
figures of one workspace show what every request costs. Of some rounds the best one counts, as whoever else uses the
machine is in all of them; what this process works itself is said besides.
"""

import asyncio
import secrets
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from infra.bench.figure import Figure, show

WORKSPACES, REPOS, VAULTS, MEMBERS, OTHERS = 50, 100, 20, 10, 2_000
ROUNDS, REQUESTS = 5, 100
_FILL = """
INSERT INTO workspaces.profiles (user_id, created_at, updated_at) VALUES (:me, now(), now()), (:other, now(), now());
INSERT INTO workspaces.workspaces (id, name, owner_id, workspace_type, created_at, updated_at)
SELECT gen_random_uuid(), 'Space ' || n, :me, 'general', now(), now() FROM generate_series(1, :workspaces) n;
INSERT INTO workspaces.workspaces (id, name, owner_id, workspace_type, created_at, updated_at)
SELECT gen_random_uuid(), 'Other ' || n, :other, 'general', now(), now() FROM generate_series(1, :others) n;
INSERT INTO workspaces.members (workspace_id, user_id, role, joined_at)
SELECT id, owner_id, 'owner', now() FROM workspaces.workspaces;
INSERT INTO workspaces.members (workspace_id, user_id, role, joined_at)
SELECT id, gen_random_uuid(), 'viewer', now() FROM workspaces.workspaces, generate_series(2, :members);
INSERT INTO workspaces.repos (id, workspace_id, name, path, created_at, updated_at)
SELECT gen_random_uuid(), id, 'repo ' || n, 'repo', now(), now()
FROM workspaces.workspaces, generate_series(1, :repos) n;
INSERT INTO workspaces.vaults (id, workspace_id, name, path, created_at, updated_at)
SELECT gen_random_uuid(), id, 'vault ' || n, 'vault', now(), now()
FROM workspaces.workspaces, generate_series(1, :vaults) n
"""


async def measure(database_url: str) -> list[Figure]:
    """The figures, in a database that is there."""
    from dataforge.kernel.clock import SystemClock
    from dataforge.kernel.principal import Role
    from dataforge.platform.db.database import Database
    from tests.builders.api import ApiUnderTest

    database = Database(database_url, pool_size=2)
    async with ApiUnderTest(database, SystemClock()) as api:
        me, other = await api.add_user(Role.LEARNER), await api.add_user(Role.LEARNER)
        values = {"me": me, "other": other, "workspaces": WORKSPACES, "others": OTHERS, "members": MEMBERS}
        values |= {"repos": REPOS, "vaults": VAULTS}
        async with database.transaction() as connection:
            for statement in _FILL.split(";\n"):
                await connection.execute(text(statement), values)
        _vacuum(database_url)
        client = await api.as_user(me, Role.LEARNER)
        path = f"/api/user-profiles/{me}/workspaces"
        listed = [await _round(client, path, limit="50") for _ in range(ROUNDS)]
        answer = (await client.get(path, params={"limit": "50"})).json()
        first = answer["items"][0]
        assert len(answer["items"]) == WORKSPACES
        assert (first["repo_count"], first["vault_count"], first["member_count"]) == (REPOS, VAULTS, MEMBERS)
        one = [await _round(client, f"/api/workspaces/{first['id']}/stats") for _ in range(ROUNDS)]
    await database.dispose()
    return [
        Figure("list of 50 × 120, ms, p95", min(p95 for p95, _ in listed), 20),
        Figure("list of 50 × 120, CPU-ms of the process", min(cpu for _, cpu in listed)),
        Figure("figures of one workspace, ms, p95", min(p95 for p95, _ in one), 20),
    ]


def _vacuum(database_url: str) -> None:
    """Leave the tables as autovacuum does."""
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


async def _round(client: Any, path: str, **query: str) -> tuple[float, float]:  # noqa: ANN401 - an httpx client
    """The 95th percentile of a round's milliseconds, and the milliseconds of CPU for one of its requests."""
    times, cpu = [], time.process_time()
    for _ in range(REQUESTS):
        began = time.perf_counter()
        answer = await client.get(path, params=query)
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    return statistics.quantiles(times, n=20)[-1], (time.process_time() - cpu) * 1000 / REQUESTS


def main() -> int:
    """Print a table and the figures; 1 when a limit was missed."""
    from dataforge.platform.db import roles
    from dataforge.platform.db.grants import GRANTS
    from dataforge.platform.db.migrations import upgrade
    from infra.local import postgres

    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        server = postgres.start(Path(name) / "pg")
        try:
            url = server.create_database("workspaces")
            upgrade(url)
            roles.apply(url, {function: roles.Login(function, secrets.token_hex(16)) for function in GRANTS})
            figures = asyncio.run(measure(url))
        finally:
            server.stop()
    print("| figure | value | limit |\n|---|---|---|")
    for figure in figures:
        limit = "–" if figure.limit is None else f"≤ {figure.limit:g}"
        print(f"| {figure.name} | {figure.value:.2f} | {limit} |")
    return min(show("workspaces", figures), 1)


if __name__ == "__main__":
    sys.exit(main())
