"""Plain rows with a revision: what is stored, refused and audited."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    select,
    text,
)

from dataforge.kernel.clock import SystemClock
from dataforge.kernel.errors import AlreadyExists, InUse, NotFound, PreconditionFailed, ValidationFailed
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import Database
from dataforge.platform.db.metadata import metadata as naming
from dataforge.platform.db.tables import audit_log
from dataforge.platform.db.unit_of_work import SqlUnitOfWork
from dataforge.platform.db.versioned_rows import (
    Change,
    Delete,
    Row,
    VersionedRows,
    change_row,
    create_row,
    delete_row,
)

tables = MetaData(schema="shelves", naming_convention=naming.naming_convention)
STAMPS = [("revision", Integer), ("created_at", DateTime(timezone=True)), ("updated_at", DateTime(timezone=True))]
shelf_table = Table(
    "shelves",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("words", Text),
    *(Column(name, kind, nullable=False, server_default="1" if name == "revision" else None) for name, kind in STAMPS),
    UniqueConstraint("name"),
)
book_table = Table(
    "books",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("shelf_id", ForeignKey("shelves.shelves.id"), nullable=False),
    *(Column(name, kind, nullable=False, server_default="1" if name == "revision" else None) for name, kind in STAMPS),
)


class ShelvesUnitOfWork(SqlUnitOfWork):
    @property
    def shelves(self) -> VersionedRows:
        return VersionedRows(self.connection, shelf_table, "shelf", self.now, hidden=("words",))

    @property
    def books(self) -> VersionedRows:
        return VersionedRows(self.connection, book_table, "book", self.now)


@pytest.fixture
async def rooms(database: Database) -> AsyncIterator[Database]:
    async with database.transaction() as connection:
        await connection.execute(text("CREATE SCHEMA shelves"))
        await connection.run_sync(tables.create_all)
    yield database
    async with database.transaction() as connection:
        await connection.execute(text("DROP SCHEMA shelves CASCADE"))


async def add_shelf(rooms: Database, name: str = "Poetry") -> Row:
    async with ShelvesUnitOfWork(rooms) as uow:
        row = await create_row(uow.shelves, {"name": name, "words": name.lower()}, uow)
        await uow.commit()
    return row


async def audited(rooms: Database, shelf_id: UUID) -> list[tuple[str, object, object]]:
    query = select(audit_log.c.action, audit_log.c.before, audit_log.c.after)
    async with rooms.read_only() as connection:
        rows = await connection.execute(query.where(audit_log.c.entity_id == str(shelf_id)).order_by(audit_log.c.id))
        return [tuple(row) for row in rows]


async def test_a_new_row_has_a_first_revision_and_its_hidden_columns_stay_inside(rooms: Database) -> None:
    row = await add_shelf(rooms)

    assert (row["revision"], row["created_at"]) == (1, row["updated_at"])
    assert abs(row["created_at"] - SystemClock().now()) < timedelta(hours=1)
    assert "words" not in row
    async with rooms.read_only() as connection:
        assert await connection.scalar(select(shelf_table.c.words)) == "poetry"


async def test_a_change_raises_the_revision_and_audits_what_differs(rooms: Database) -> None:
    row = await add_shelf(rooms)

    async with ShelvesUnitOfWork(rooms) as uow:
        changed = await change_row(uow.shelves, Change(row["id"], "1", {"name": "Prose"}), uow)
        await uow.commit()

    assert (changed["revision"], changed["name"]) == (2, "Prose")
    assert (await audited(rooms, row["id"]))[1:] == [("shelf.changed", {"name": "Poetry"}, {"name": "Prose"})]


@pytest.mark.parametrize("revision", ["1", "*"])
async def test_a_row_is_deleted_at_the_revision_that_was_read(rooms: Database, revision: str) -> None:
    row = await add_shelf(rooms)

    async with ShelvesUnitOfWork(rooms) as uow:
        await delete_row(uow.shelves, Delete(row["id"], revision), uow)
        await uow.commit()

    async with ShelvesUnitOfWork(rooms) as uow:
        with pytest.raises(NotFound, match=f"There is no shelf {row['id']}"):
            await uow.shelves.lock(row["id"])
    assert [action for action, _, _ in await audited(rooms, row["id"])] == ["shelf.created", "shelf.deleted"]


async def test_another_revision_is_refused_and_nothing_changes(rooms: Database) -> None:
    row = await add_shelf(rooms)

    async with ShelvesUnitOfWork(rooms) as uow:
        with pytest.raises(PreconditionFailed) as refused:
            await change_row(uow.shelves, Change(row["id"], "7", {"name": "Prose"}), uow)

    assert refused.value.headers == {"ETag": '"1"'}
    async with ShelvesUnitOfWork(rooms) as uow:
        assert (await uow.shelves.lock(row["id"]))["name"] == "Poetry"


async def test_a_name_that_is_taken_is_told_by_its_fields(rooms: Database) -> None:
    await add_shelf(rooms)

    with pytest.raises(AlreadyExists, match="another shelf with the same name"):
        await add_shelf(rooms)


async def test_a_reference_to_nothing_is_told_by_its_pointer(rooms: Database) -> None:
    async with ShelvesUnitOfWork(rooms) as uow:
        with pytest.raises(ValidationFailed) as refused:
            await uow.books.add({"shelf_id": uuid7()})

    assert [item.pointer for item in refused.value.violations] == ["/shelf_id"]


async def test_what_is_referred_to_stays(rooms: Database) -> None:
    row = await add_shelf(rooms)
    async with ShelvesUnitOfWork(rooms) as uow:
        await uow.books.add({"shelf_id": row["id"]})
        await uow.commit()

    async with ShelvesUnitOfWork(rooms) as uow:
        with pytest.raises(InUse, match="referred to by books"):
            await delete_row(uow.shelves, Delete(row["id"], "*"), uow)
