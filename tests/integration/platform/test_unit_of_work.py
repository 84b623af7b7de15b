"""A unit of work that does something slow apart from its transaction."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from dataforge.contexts.identity.contract import PasswordChanged
from dataforge.kernel.ids import uuid7
from dataforge.kernel.unit_of_work import AuditEntry
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import SqlUnitOfWork


@pytest.fixture
async def narrow(database: Database) -> AsyncIterator[Database]:
    """A pool of one connection, for which nobody waits long."""
    url = database.engine.url.render_as_string(hide_password=False)
    narrow = Database(url, pool_size=1, pool_timeout_seconds=0.5)
    yield narrow
    await narrow.dispose()


async def test_what_is_done_apart_keeps_no_connection_and_the_work_goes_on_afterwards(narrow: Database) -> None:
    async def of_somebody_else() -> int:
        async with narrow.read_only() as connection:
            return int(await connection.scalar(text("SELECT 41")))

    async with SqlUnitOfWork(narrow) as uow:
        await uow.connection.execute(text("SELECT 1"))
        found = await uow.apart(of_somebody_else())
        uow.publish(PasswordChanged(uuid7()))
        await uow.commit()

    async with narrow.read_only() as connection:
        published = await connection.scalar(text("SELECT count(*) FROM platform.outbox"))
    assert (found, published) == (41, 1)


async def test_work_of_another_context_is_written_or_lost_with_the_outer_one(narrow: Database) -> None:
    for committed in (False, True):
        async with SqlUnitOfWork(narrow) as outer:
            inner = SqlUnitOfWork.within(outer)
            await inner.connection.execute(text("SELECT 1"))
            inner.publish(PasswordChanged(uuid7()))
            inner.audit(AuditEntry("changed", "thing", "1"))
            if committed:
                await outer.commit()
        assert inner.now == outer.now

    async with narrow.read_only() as connection:
        published = await connection.scalar(text("SELECT count(*) FROM platform.outbox"))
        audited = await connection.scalar(text("SELECT count(*) FROM platform.audit_log"))
    assert (published, audited) == (1, 1)


async def test_work_that_fails_apart_leaves_nothing_behind(narrow: Database) -> None:
    async def fails() -> None:
        message = "no"
        raise LookupError(message)

    with pytest.raises(LookupError):
        async with SqlUnitOfWork(narrow) as uow:
            await uow.apart(fails())

    async with narrow.read_only() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


async def test_what_was_published_is_not_lost_by_going_apart(narrow: Database) -> None:
    async def nothing() -> None: ...

    work = nothing()
    async with SqlUnitOfWork(narrow) as uow:
        uow.publish(PasswordChanged(uuid7()))
        with pytest.raises(RuntimeError, match="would be lost"):
            await uow.apart(work)
    work.close()
