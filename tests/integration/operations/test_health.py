"""Health and maintenance."""

import pytest

from dataforge.bootstrap import build_platform, modules
from dataforge.events.handlers import run_command
from dataforge.events.jobs import clean_up, tick
from dataforge.kernel.clock import FixedClock
from dataforge.kernel.principal import Role
from dataforge.platform.aws.clients import client
from dataforge.platform.db.database import Database
from dataforge.platform.db.migrations import head_revision
from dataforge.settings import WorkerSettings
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws


@pytest.fixture
def queue(emulator: EmulatedAws) -> str:
    url = emulator.queue()
    client("sqs").send_message(QueueUrl=url, MessageBody="one")
    return url


async def test_health_tells_the_migration_revision_and_the_queue_depth(
    database: Database, clock: FixedClock, queue: str
) -> None:
    async with ApiUnderTest(database, clock, statements_queue_url=queue) as api:
        response = await (await api.as_role(Role.ADMIN)).get("/api/health")

    assert response.status_code == 200
    assert response.json() == {
        "function": "api",
        "status": "ok",
        "database": {"status": "ok", "migration_revision": head_revision()},
        "queues": {"statements": {"status": "ok", "waiting": 1, "in_flight": 0, "delayed": 0}},
    }


async def test_everybody_is_told_ok_and_nothing_more(api: ApiUnderTest) -> None:
    response = await (await api.client()).get("/health")

    assert (response.status_code, response.content) == (200, b'{"status":"ok"}')


async def test_everybody_is_told_that_something_is_wrong_but_not_what(clock: FixedClock) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing", connect_timeout_seconds=1)

    response = await (await ApiUnderTest(away, clock).client()).get("/health")

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert "database" not in response.text


@pytest.mark.parametrize("path", ["/api/health", "/api/health/api", "/api/health/datasets", "/api/health/sql"])
async def test_details_are_for_administrators(api: ApiUnderTest, path: str) -> None:
    assert (await (await api.client()).get(path)).status_code == 401
    assert (await (await api.as_role(Role.REGISTRAR)).get(path)).status_code == 403
    assert (await (await api.as_role(Role.ADMIN)).get(path)).json()["database"]["status"] == "ok"


async def test_the_command_health_names_a_database_that_is_away(clock: FixedClock) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing", connect_timeout_seconds=1)

    answer = await run_command(modules(), "xapi_etl", ApiUnderTest(away, clock).platform, {"command": "health"})

    assert (answer["status"], answer["database"]["status"]) == ("degraded", "unreachable")


async def test_a_command_on_a_database_that_is_away_is_503_and_says_to_repeat(clock: FixedClock) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nothing", connect_timeout_seconds=1)
    api = ApiUnderTest(away, clock)

    response = await (await api.client()).post("/api/auth/login", json={"username": "ada", "password": "x"})

    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert response.headers["retry-after"] == "5"


async def test_a_job_that_fails_does_not_stop_the_next(api: ApiUnderTest) -> None:
    async def broken() -> dict[str, int]:
        message = "a table is missing"
        raise LookupError(message)

    results = await tick({"broken": broken, "cleanup": lambda: clean_up(api.platform)})

    assert results["broken"] == {"error": "LookupError"}
    assert set(results["cleanup"].values()) == {0}
    assert set(results["cleanup"]) >= {"idempotency_keys", "relayed_events", "consumed_events", "throttles"}


async def test_cleaning_up_an_empty_database_deletes_nothing(api: ApiUnderTest) -> None:
    assert set((await clean_up(api.platform)).values()) == {0}


async def test_an_unknown_command_is_refused_with_the_known_ones(api: ApiUnderTest) -> None:
    answer = await run_command(modules(), "maintenance", api.platform, {"command": "format_disk"})

    assert answer["error"]["code"] == "bad_request"
    assert "tick" in answer["error"]["detail"]


async def test_a_refused_command_answers_its_code(api: ApiUnderTest) -> None:
    answer = await run_command(modules(), "maintenance", api.platform, {"command": "create_admin", "username": "1"})

    assert answer["error"]["code"] == "validation_failed"
    assert "/username" in answer["error"]["detail"]


async def test_functions_without_routes_answer_the_health_command(api: ApiUnderTest) -> None:
    answer = await run_command(modules(), "dataset_export", api.platform, {"command": "health"})

    assert (answer["status"], answer["database"]["migration_revision"]) == ("ok", head_revision())


async def test_a_function_reports_only_the_queues_it_may_see(database: Database, queue: str) -> None:
    settings = WorkerSettings(imports_queue_url=queue, statements_queue_url=queue, imports_dlq_url=queue)
    parts = build_platform(settings, queues=("imports",), dead_letter_queues=())
    parts.database = database

    assert list((await parts.health())["queues"]) == ["imports"]
