"""The door to PostgreSQL."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dataforge.platform.db.database import Database, DatabaseUnavailable


async def reach(database: Database) -> None:
    async with database.read_only() as connection:
        await connection.execute(text("SELECT 1"))


async def test_the_error_of_a_statement_does_not_tell_its_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1 / (length(:value) - 6)"), {"value": "secret"})

    assert "secret" not in str(caught.value)


async def test_a_second_connection_that_the_pool_does_not_have_is_refused_in_time(database_url: str) -> None:
    database = Database(database_url, pool_size=1, pool_timeout_seconds=0.1)

    async with database.read_only():
        with pytest.raises(DatabaseUnavailable):
            await reach(database)

    await reach(database)
    await database.dispose()


async def test_an_address_is_fetched_again_after_the_server_was_lost(database_url: str) -> None:
    addresses = ["postgresql://nobody@127.0.0.1:1/old", database_url]
    database = Database(lambda: addresses.pop(0))

    with pytest.raises(DatabaseUnavailable):
        await reach(database)

    await reach(database)
    await database.dispose()


async def test_of_two_transactions_in_a_deadlock_one_is_told_to_repeat(database: Database) -> None:
    import asyncio

    from dataforge.platform.db.database import TransactionConflict

    first_locked, second_locked = asyncio.Event(), asyncio.Event()

    async def take(own: int, other: int, mine: asyncio.Event, theirs: asyncio.Event) -> str:
        try:
            async with database.transaction() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": own})
                mine.set()
                await theirs.wait()
                await connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": other})
        except TransactionConflict as error:
            return error.code
        return "done"

    outcomes = await asyncio.gather(take(1, 2, first_locked, second_locked), take(2, 1, second_locked, first_locked))

    assert sorted(outcomes) == ["done", "transaction_conflict"]


async def test_statements_are_prepared_only_over_a_direct_connection(database_url: str) -> None:
    prepared = {}
    for direct in (False, True):
        database = Database(database_url, prepared_statements=direct)
        async with database.read_only() as connection:
            for value in range(8):
                assert await connection.scalar(text("SELECT CAST(:value AS int) + 1"), {"value": value}) == value + 1
            found = text("SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql")
            prepared[direct] = await connection.scalar(found)
        await database.dispose()

    assert prepared == {False: 0, True: 1}
