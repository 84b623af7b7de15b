"""How everything stands: every gauge of every context is read with the rights of the function that shows it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from dataforge.bootstrap import build_platform, modules
from dataforge.contexts.operations.status.queries import read_gauges
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database
from dataforge.platform.ops import Gauge, Ops, OpsRegister, Shown, Unit
from dataforge.settings import ApiSettings
from tests.builders.api import ApiUnderTest
from tests.builders.browser import browser_of
from tests.builders.roles import in_role

RUNBOOKS = Path(__file__).parents[3] / "infra" / "runbooks"
SHOWN: Sequence[Shown] = OpsRegister(build_platform(ApiSettings()), modules()).shown()
GAUGES = [(part.context, gauge) for part in SHOWN for gauge in part.ops.gauges]


def test_names_are_given_once_and_runbooks_exist() -> None:
    names = [gauge.name for _, gauge in GAUGES]

    assert sorted(set(names)) == sorted(names)
    assert len(names) > 20
    missing = {gauge.runbook for _, gauge in GAUGES if gauge.runbook} - {path.stem for path in RUNBOOKS.glob("*.md")}
    assert missing == set()
    assert [gauge.name for _, gauge in GAUGES if gauge.worrying_above is not None and gauge.runbook is None] == []


async def test_every_gauge_is_read(api: ApiUnderTest) -> None:
    answer = await (await api.as_role(Role.ADMIN)).get("/api/operations/status")

    assert answer.status_code == 200
    body = answer.json()
    assert [(item["context"], item["name"]) for item in body["gauges"]] == [
        (name, gauge.name) for name, gauge in GAUGES
    ]
    assert [item["name"] for item in body["gauges"] if not item["known"]] == []
    assert body["database"] == "ok"


REQUESTED = "INSERT INTO records.intake (request_id, stored_at) VALUES (gen_random_uuid(), {at})"
GIVEN_UP = """
INSERT INTO platform.outbox (id, name, key, payload, occurred_at, next_attempt_at, dead_at)
VALUES (gen_random_uuid(), 'x', 'y', '{}', now(), now(), now())
"""
WAITING = """
INSERT INTO platform.jobs (id, kind, status, run_parameters, created_at, queued_at)
VALUES (gen_random_uuid(), 'purge', 'pending', '{}', now(), now() - interval '1 hour')
"""
UNSENT = """
INSERT INTO notifications.messages (id, kind, local_date, dedupe_key, content, status, not_before, created_at)
VALUES (gen_random_uuid(), 'reminder', CURRENT_DATE, 'a', '{}', 'failed', now(), now())
"""


@pytest.mark.parametrize(
    ("change", "gauge", "worrying"),
    [
        (REQUESTED.format(at="clock_timestamp() - interval '5 minutes'"), "etl_lag", True),
        (REQUESTED.format(at="clock_timestamp()"), "etl_lag", False),
        (GIVEN_UP, "outbox_dead", True),
        (WAITING, "jobs_oldest", True),
        (UNSENT, "mail_failed", True),
    ],
)
async def test_what_needs_somebody_is_marked(
    api: ApiUnderTest, database: Database, change: str, gauge: str, worrying: bool
) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(change))

    body = (await (await api.as_role(Role.ADMIN)).get("/api/operations/status")).json()

    [found] = [item for item in body["gauges"] if item["name"] == gauge]
    assert found["value"] > 0
    assert found["worrying"] is worrying
    assert not worrying or not body["ok"]


async def test_a_gauge_that_cannot_be_read_hides_no_other(database: Database) -> None:
    broken = Gauge(name="broken", title=Text("Broken"), sql="SELECT count(*) FROM nowhere.at_all")
    slow = Gauge(name="slow", title=Text("Slow"), sql="SELECT 1 FROM (SELECT pg_sleep(30)) AS s", unit=Unit.SECONDS)
    one = Gauge(name="one", title=Text("One"), sql="SELECT 1")

    async with in_role(database, "api").read_only() as connection:
        readings = await read_gauges(connection, [Shown("x", Ops(gauges=(broken, slow, one)))])

    assert [(reading.gauge.name, reading.value, reading.known) for reading in readings] == [
        ("broken", None, False),
        ("slow", None, False),
        ("one", 1.0, True),
    ]


async def test_the_page_shows_every_gauge_and_is_for_administrators(api: ApiUnderTest) -> None:
    page = await (await browser_of(api, Role.ADMIN)).get("/ui/operations")

    assert page.status_code == 200
    for _, gauge in GAUGES:
        assert str(gauge.title) in page.text
    assert (await (await browser_of(api, Role.REGISTRAR)).get("/ui/operations")).status_code == 403
