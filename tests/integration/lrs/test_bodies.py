"""Bodies of statements in partitions by month: made ahead, filled, moved from where they were before."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dataforge.contexts.lrs.bodies.consumers import move_bodies
from dataforge.contexts.lrs.bodies.domain import months_needed, next_month
from dataforge.contexts.lrs.bodies.repository import drop_partition, make_partitions
from dataforge.contexts.lrs.module import LrsServices
from dataforge.kernel.clock import FixedClock
from dataforge.platform.db.database import Database
from dataforge.platform.db.migrations import downgrade, upgrade
from infra.local.postgres import PostgresServer
from tests.builders.api import ApiUnderTest
from tests.builders.emulator import EmulatedAws
from tests.builders.lrs import VERSION, StoreUnderTest
from tests.builders.roles import in_role
from tests.builders.statements import statement

PARTITIONS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 'statement_bodies%'"


@pytest.fixture
async def store(emulator: EmulatedAws, database: Database) -> AsyncIterator[StoreUnderTest]:
    async with StoreUnderTest(emulator, database) as store:
        yield store


@pytest.fixture
def maintenance(database: Database, clock: FixedClock) -> LrsServices:
    return ApiUnderTest(database, clock).platform_of("maintenance").get(LrsServices)


def name_of(month: date) -> str:
    return f"statement_bodies_y{month:%Y}m{month:%m}"


async def partition_of(store: StoreUnderTest, statement_id: str) -> str:
    rows = await store.rows(
        "SELECT CAST(CAST(tableoid AS regclass) AS text) AS place FROM lrs.statement_bodies WHERE statement_id = :id",
        id=statement_id,
    )
    return str(rows[0].place).removeprefix("lrs.")


async def sent(store: StoreUnderTest, count: int = 1, **values: Any) -> list[str]:
    answer = await store.post([statement(**values) for _ in range(count)])
    assert answer.status_code == 200, answer.text
    await store.deliver()
    return [str(item) for item in answer.json()]


async def read(store: StoreUnderTest, statement_id: str) -> dict[str, Any]:
    answer = await store.lms.get(f"/xapi/statements?statementId={statement_id}", headers=VERSION)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def before_partitions(store: StoreUnderTest) -> None:
    """What the release before has written, an hour before now."""
    await store.change(
        "UPDATE lrs.statement_storage SET partitioned_from = clock_timestamp() + interval '1 hour', moved_at = NULL"
    )


async def test_a_body_is_in_the_partition_of_its_month_and_its_id_beside(store: StoreUnderTest) -> None:
    (statement_id,) = await sent(store)

    assert await partition_of(store, statement_id) == name_of(datetime.now(UTC).date())
    (row,) = await store.rows("SELECT payload, payload_sha256 FROM records.statements_raw")
    assert row.payload is None
    assert row.payload_sha256
    assert (await read(store, statement_id))["id"] == statement_id


async def test_partitions_are_made_ahead_and_made_once(store: StoreUnderTest, maintenance: LrsServices) -> None:
    counts = [await move_bodies(maintenance) for _ in range(2)]

    names = {row.relname for row in await store.rows(PARTITIONS)}
    assert {name_of(month) for month in months_needed(maintenance.clock.now())} <= names
    assert counts[1] == {"partitions": 0, "moved": 0}


async def test_what_came_before_its_partition_moves_there_when_it_is_made(
    store: StoreUnderTest, maintenance: LrsServices
) -> None:
    (statement_id,) = await sent(store)
    for table in ("records.statements_raw", "lrs.statement_bodies"):
        await store.change(f"UPDATE {table} SET stored_at = '2021-02-03T04:05:06Z'")
    assert await partition_of(store, statement_id) == "statement_bodies_default"

    made = await make_partitions(maintenance.database, [date(2021, 2, 1), date(2021, 3, 1)])

    assert (made, await partition_of(store, statement_id)) == (2, "statement_bodies_y2021m02")
    assert (await read(store, statement_id))["id"] == statement_id


async def test_bodies_of_the_release_before_are_read_and_then_moved_page_by_page(
    store: StoreUnderTest, maintenance: LrsServices
) -> None:
    await before_partitions(store)
    ids = await sent(store, 7)
    assert (await move_bodies(maintenance))["moved"] == 0, "the release before reads them where they are"
    assert (await store.rows("SELECT count(*) FROM records.statements_raw WHERE payload IS NOT NULL"))[0][0] == 7
    bodies = [await read(store, item) for item in ids]
    await store.change("UPDATE lrs.statement_storage SET partitioned_from = '-infinity'")
    await sent(store, 2)

    counts = await move_bodies(maintenance, page=3)

    assert counts["moved"] == 7
    assert (await store.rows("SELECT count(*) FROM records.statements_raw WHERE payload IS NOT NULL"))[0][0] == 0
    assert [await read(store, item) for item in ids] == bodies
    assert (await store.rows("SELECT moved_at IS NOT NULL AS done FROM lrs.statement_storage"))[0].done
    again = await store.post([{**statement(object={"id": "https://example.org/other"}), "id": ids[0]}])
    assert again.status_code == 409


async def test_a_partition_is_dropped_when_no_statement_of_its_month_is_left(
    store: StoreUnderTest, database: Database
) -> None:
    worker, month = in_role(database, "worker"), datetime.now(UTC).date().replace(day=1)
    await sent(store)
    assert await drop_partition(worker, month) is False
    await store.change("DELETE FROM records.statements_raw")

    assert await drop_partition(worker, month) is True

    assert name_of(month) not in {row.relname for row in await store.rows(PARTITIONS)}
    (statement_id,) = await sent(store)
    assert await partition_of(store, statement_id) == "statement_bodies_default"
    assert await drop_partition(worker, next_month(next_month(next_month(month)))) is False


async def test_who_reads_keeps_a_partition_from_being_dropped_and_nobody_waits_for_long(
    store: StoreUnderTest, database: Database
) -> None:
    month = datetime.now(UTC).date().replace(day=1)
    async with database.transaction() as reader:
        await reader.exec_driver_sql("SELECT count(*) FROM lrs.statement_bodies")
        started = datetime.now(UTC)

        assert await drop_partition(in_role(database, "worker"), month) is False

    assert datetime.now(UTC) - started < timedelta(seconds=10)


@pytest.mark.parametrize("function", ["api", "xapi", "xapi-etl"])
async def test_only_maintenance_and_worker_change_partitions(database: Database, function: str) -> None:
    async with in_role(database, function).connect() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.exec_driver_sql("SELECT lrs.drop_statement_partition('2026-01-01')")


def test_statements_from_before_stay_through_the_migration_and_back(postgres: PostgresServer) -> None:
    url = postgres.create_database("bodies_migrated")
    upgrade(url, "0017")
    insert = (
        "INSERT INTO records.statements_raw (statement_id, payload, payload_sha256, source, authority, occurred_at, "
        "stored_at, state, keyed) SELECT gen_random_uuid(), jsonb_build_object('n', n), '', 'xapi', 'k', now(), now(), "
        "'done', true FROM generate_series(1, %s) n"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(insert, [1000])
        upgrade(url)
        seen = "SELECT count(*), sum((payload ->> 'n')::int) FROM lrs.statements WHERE payload IS NOT NULL"
        assert connection.execute(seen).fetchone() == (1000, 500_500)
        connection.execute(insert, [10])  # the release before runs on
        moved = (
            "WITH old AS (UPDATE records.statements_raw r SET payload = NULL "
            "FROM (SELECT * FROM records.statements_raw) o WHERE o.statement_id = r.statement_id RETURNING o.*) "
            "INSERT INTO lrs.statement_bodies "
            "SELECT stored_at, statement_id, payload FROM old"
        )
        connection.execute(moved)

        downgrade(url, "0017")

        kept = "SELECT count(*) FROM records.statements_raw WHERE payload ->> 'n' IS NOT NULL"
        assert connection.execute(kept).fetchone() == (1010,)
    postgres.drop_database("bodies_migrated")
