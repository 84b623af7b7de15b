"""Reports over a million flat statements of 20,000 learners and 200 lessons: the whole route, in process.

Run as `python -m infra.bench.reports`. A request goes through the app of `datasets_api` as it is served: token checked,
person confirmed by the database, report read, answer made. Statements are written straight into `statements_flat` and
counted into `lesson_progress` by the definitions that migration 0026 counts by; one in a hundred was voided later.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg

from infra.bench.figure import Figure, show
from infra.bench.stand import Stand, stand

LEARNERS, LESSONS, STATEMENTS, COHORTS, LATELY = 20_000, 200, 1_000_000, 40, 500
# 40 cohorts of 500; the first four have 50 lessons each. A quarter of the statements are of these four and their own
# lessons, so that nearly all of their cells are filled; the others are of anybody about anything. The last 500 were
# stored within the last half hour, all else in the 60 days before.
_FURNISH = f"""
INSERT INTO identity.users (id, username, email, email_vouched, avatar, display_name, role, created_at, updated_at)
SELECT gen_random_uuid(), 'learner_' || n, 'l' || n || '@example.org', true, 'a' || n, 'Learner ' || n, 'learner',
    now(), now() FROM generate_series(1, {LEARNERS}) n;
INSERT INTO records.cohorts (id, name, created_at, updated_at)
SELECT gen_random_uuid(), 'Cohort ' || n, now(), now() FROM generate_series(1, {COHORTS}) n;
CREATE TEMP TABLE person AS SELECT id, substr(username, 9)::int AS n FROM identity.users;
CREATE TEMP TABLE cohort AS SELECT id, substr(name, 8)::int AS n FROM records.cohorts;
INSERT INTO records.cohort_members (cohort_id, user_id, joined_at)
SELECT c.id, p.id, now() - interval '70 days'
FROM person p JOIN cohort c ON c.n = 1 + (p.n - 1) / {LEARNERS // COHORTS};
INSERT INTO records.lessons (id, cohort_id, lesson_url, lesson_number, title, created_at, updated_at)
SELECT gen_random_uuid(), c.id, 'https://lms.example.org/' || l, l, 'Lesson ' || l, now() - interval '70 days', now()
FROM generate_series(1, {LESSONS}) l JOIN cohort c ON c.n = 1 + (l - 1) / 50;
INSERT INTO records.lesson_addresses (address, lesson_id, alias) SELECT lesson_url, id, false FROM records.lessons;
CREATE TEMP TABLE lesson AS SELECT id, lesson_number AS n FROM records.lessons;
SELECT setseed(0.4);
CREATE TEMP TABLE made AS
SELECT n, CASE WHEN n % 4 = 0 THEN 1 + (n / 4) % 2000 ELSE 1 + floor(random() * {LEARNERS})::int END AS person,
    CASE WHEN n % 4 = 0 THEN 1 + 50 * (((n / 4) % 2000) / 500) + (n / 8000) % 50
    ELSE 1 + floor(random() * {LESSONS})::int END AS lesson,
    CASE WHEN n > {STATEMENTS - LATELY} THEN now() - random() * interval '30 minutes'
    ELSE now() - interval '61 minutes' - ({STATEMENTS} - n) * interval '60 days' / {STATEMENTS} END AS at,
    random() AS chance
FROM generate_series(1, {STATEMENTS}) n;
INSERT INTO records.statements_flat (statement_id, actor_key, user_id, verb_id, object_type, lesson_id, score_scaled,
    completes, voided, voided_from, is_question, occurred_at, stored_at, processed_at, form)
SELECT gen_random_uuid(), 'mailto:l' || p.n || '@example.org', p.id, 'https://example.org/v', 'Activity', l.id,
    round(m.chance::numeric, 2), m.n > {STATEMENTS - LATELY} OR m.chance < 0.4, m.chance > 0.99,
    CASE WHEN m.chance > 0.99 THEN m.at + interval '1 minute' END, false, m.at, m.at, m.at, 1
FROM made m JOIN person p ON p.n = m.person JOIN lesson l ON l.n = m.lesson;
ANALYZE;
"""
_COUNT = """
WITH plain AS (SELECT user_id, lesson_id FROM learning.matches GROUP BY 1, 2 HAVING bool_and(known_until IS NULL))
INSERT INTO records.lesson_progress (user_id, lesson_id, statements, started_at, last_at, completed_at, completed_by,
    score_scaled, completion_changed_at, changed_at, withdrawn)
SELECT a.user_id, a.lesson_id, a.statements, a.started_at, a.last_at, c.occurred_at, c.statement_id, c.score_scaled,
    c.known_from, a.changed_at, false
FROM (SELECT user_id, lesson_id, count(*) AS statements, min(occurred_at) AS started_at, max(occurred_at) AS last_at,
    max(known_from) AS changed_at FROM learning.matches JOIN plain USING (user_id, lesson_id) GROUP BY 1, 2) a
LEFT JOIN (SELECT DISTINCT ON (user_id, lesson_id) user_id, lesson_id, occurred_at, statement_id, score_scaled,
    known_from FROM learning.matches WHERE completes ORDER BY user_id, lesson_id, occurred_at, statement_id) c
USING (user_id, lesson_id);
INSERT INTO records.lesson_progress (user_id, lesson_id, started_at, last_at, statements, completed_at, completed_by,
    score_scaled, completion_changed_at, changed_at, withdrawn)
SELECT g.user_id, g.lesson_id, t.*
FROM (SELECT DISTINCT user_id, lesson_id FROM learning.matches WHERE known_until IS NOT NULL) g
CROSS JOIN LATERAL learning.progress_of('infinity', g.user_id, g.lesson_id) t;
VACUUM ANALYZE;
"""
_SAMPLES, _WARM_UPS, _FEW = 60, 5, 8


class _Secrets:
    """Secrets of this run."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {"app": {"cursor_key": "a key of the bench"}}

    def read(self, arn: str, *, fresh: bool = False) -> dict[str, Any]:  # noqa: ARG002 - as the real one
        return self._values.get(arn, {})

    def write(self, arn: str, value: dict[str, Any]) -> None:
        self._values[arn] = value


async def _analyst(given: Stand) -> tuple[Any, httpx.AsyncClient]:
    """The app of `datasets_api`, and a client of somebody who may read reports."""
    from pydantic import SecretStr

    from dataforge.bootstrap import build_platform, rest_app
    from dataforge.contexts.identity.services import IdentityServices
    from dataforge.contexts.identity.sessions.domain import Session
    from dataforge.kernel.ids import uuid7
    from dataforge.kernel.principal import Role
    from dataforge.settings import ApiSettings

    settings = ApiSettings(
        database_url=SecretStr(given.database.url), app_secret_arn="app", signing_keys_secret_arn="signing-keys"
    )
    platform = build_platform(settings, pool_size=2)
    platform.secrets = _Secrets()  # type: ignore[assignment]  # reads and writes as the real one does
    identity = platform.get(IdentityServices)
    await identity.private_keys.ensure()
    async with await psycopg.AsyncConnection.connect(given.database.url) as connection:
        found = await connection.execute(
            "INSERT INTO identity.users (id, username, email, avatar, display_name, role, created_at, updated_at) "
            "VALUES (%s, 'analyst', 'analyst@example.org', 'analyst', 'Analyst', 'analyst', now(), now()) RETURNING id",
            [uuid7()],
        )
        (user_id,) = await found.fetchone() or (None,)
    token = (await identity.token_signer.issue(Session(user_id, "analyst", Role.ANALYST, uuid7(), "unused")))[
        "access_token"
    ]
    transport = httpx.ASGITransport(rest_app("datasets_api", platform)[1])
    headers = {"Authorization": f"Bearer {token}"}
    return platform, httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers, timeout=120)


async def _timed(
    client: httpx.AsyncClient, path: str, params: Mapping[str, Any], accept: str, samples: int
) -> tuple[list[float], httpx.Response]:
    """Milliseconds of requests, the slowest last, and the last answer."""
    taken = []
    for number in range(samples + _WARM_UPS):
        began = time.perf_counter()
        answer = await client.get(path, params=params, headers={"Accept": accept})
        if number >= _WARM_UPS:
            taken.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            sys.exit(f"{path}: {answer.status_code} {answer.text[:300]}")
    return sorted(taken), answer


async def measure(given: Stand) -> list[Figure]:
    """Milliseconds at the 95th percentile of what has a limit, and the median of the others."""
    platform, client = await _analyst(given)
    async with await psycopg.AsyncConnection.connect(given.database.url) as connection:
        found = await connection.execute("SELECT id FROM records.cohorts WHERE name = 'Cohort 1'")
        (cohort,) = await found.fetchone() or (None,)
        found = await connection.execute("SELECT id FROM records.lessons WHERE lesson_number = 1")
        (lesson,) = await found.fetchone() or (None,)
    hour = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    matrix, changes = f"/api/reports/cohorts/{cohort}", "/api/reports/completions"
    earlier = (datetime.now(UTC) - timedelta(hours=1, minutes=40)).isoformat()
    limited: list[tuple[str, str, dict[str, Any], float]] = [
        ("cohort matrix of 500 × 50", matrix, {"limit": 500}, 50),
        ("cohort matrix as of an hour ago", matrix, {"limit": 500, "as_of": hour}, 50),
        ("completions since an hour", changes, {"since": hour}, 20),
        ("completions as of an hour ago", changes, {"since": earlier, "as_of": hour}, 20),
    ]
    others: list[tuple[str, str, dict[str, Any], str]] = [
        ("cohort matrix as CSV", matrix, {}, "text/csv"),
        ("cohort matrix as Parquet", matrix, {}, "application/vnd.apache.parquet"),
        ("10,000 completions", changes, {"since": "2020-01-01T00:00:00Z", "limit": 10_000}, "application/json"),
        ("who is missing a lesson", f"/api/reports/lessons/{lesson}/incomplete", {}, "application/json"),
        ("funnel of a lesson", f"/api/reports/lessons/{lesson}/funnel", {}, "application/json"),
        ("who of a cohort is at risk", "/api/reports/at-risk", {"cohort_id": cohort}, "application/json"),
        ("who is at risk", "/api/reports/at-risk", {}, "application/json"),
        ("activity of a cohort", "/api/reports/activity", {"cohort_id": cohort}, "application/json"),
        ("activity of 30 days", "/api/reports/activity", {}, "application/json"),
        ("comparison of 50 lessons", "/api/reports/comparison", {"cohort_id": cohort}, "application/json"),
        ("comparison of all lessons", "/api/reports/comparison", {"limit": 200}, "application/json"),
    ]
    figures = []
    for name, path, params, limit in limited:
        taken, answer = await _timed(client, path, params, "application/json", _SAMPLES)
        items = len(answer.json()["items"])
        figures.append(Figure(f"p95 ms of {name} ({items} items)", statistics.quantiles(taken, n=20)[-1], limit))
        figures.append(Figure(f"p50 ms of {name}", statistics.median(taken)))
    for name, path, params, accept in others:
        taken, _ = await _timed(client, path, params, accept, _FEW)
        figures.append(Figure(f"p50 ms of {name}", statistics.median(taken)))
    await client.aclose()
    await platform.database.dispose()
    return figures


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with stand() as given:
        with psycopg.connect(given.database.url, autocommit=True) as connection:
            for part in (_FURNISH, _COUNT):
                for statement in part.split(";\n"):
                    connection.execute(statement.encode())
            filled = connection.execute(
                "SELECT (SELECT count(*) FROM records.statements_flat), (SELECT count(*) FROM records.lesson_progress)"
            ).fetchone()
        if filled is None or filled[0] != STATEMENTS:
            sys.exit(f"{filled} rows were made")
        pairs = Figure("pairs of learner and lesson", filled[1])
        return min(show("reports", [pairs, *asyncio.run(measure(given))]), 1)


if __name__ == "__main__":
    sys.exit(main())
