"""Plain rows with a revision: one repository for them, the commands that change them, and what the audit log gets.

A table of such rows has `revision`, `created_at` and `updated_at`. A context gives its unit of work a `VersionedRows`
per table, or a subclass that says more. Where `id` is the key its handlers run `create_row`, `change_row` and
`delete_row`, around rules of their own.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.errors import AlreadyExists, DataForgeError, InUse, NotFound, PreconditionFailed, invalid
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.kernel.unit_of_work import AuditEntry, UnitOfWork
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.refusals import constraint_of, table_of

Row = Mapping[str, Any]
# By name of the constraint: the error that says what it forbids, made of the row as it was to be.
Refusals = Mapping[str, Callable[[Row], DataForgeError]]
_UNIQUE, _FOREIGN_KEY = "23505", "23503"
_KEPT_BY_US = frozenset({"revision", "created_at", "updated_at"})


@asynccontextmanager
async def explained(
    entity: str, table: str, *, removing: bool = False, refusals: Refusals | None = None, row: Row | None = None
) -> AsyncIterator[None]:
    """Turn violations of unique and foreign keys into what `refusals` has for them, or AlreadyExists, ValidationFailed
    and InUse.

    Constraints are named as `platform.db.metadata` names them: the message tells the columns from the name.
    """
    try:
        yield
    except IntegrityError as error:
        state = getattr(error.orig, "sqlstate", None)
        name = constraint_of(error)
        if refusals and name in refusals:
            raise refusals[name](row or {}) from error
        if state == _UNIQUE:
            fields = name.removeprefix(f"uq_{table}_").removesuffix("_ci").replace("_", " ")
            message = Text("There is another {entity} with the same {fields}.", entity=entity, fields=fields)
            raise AlreadyExists(message, facts={"constraint": name}) from error
        if state == _FOREIGN_KEY and removing:
            user = table_of(error).replace("_", " ")
            message = Text(
                "This {entity} is referred to by {user} and cannot be deleted; archive or close it instead.",
                entity=entity,
                user=user,
            )
            raise InUse(message, facts={"used_by": user}) from error
        if state == _FOREIGN_KEY:
            column = name.removeprefix(f"fk_{table}_").rsplit("_id_", 1)[0] + "_id"
            raise invalid(
                f"/{column}", Text("There is no such thing as {column} names.", column=column), "unknown_reference"
            ) from error
        raise


class VersionedRows:
    """Rows of one table, inside one transaction; `hidden` columns are written and never given out.

    `refusals` are the errors of constraints that have their own.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        table: Table,
        entity: str,
        now: datetime,
        *,
        hidden: Collection[str] = (),
        refusals: Refusals | None = None,
    ) -> None:
        self._connection = connection
        self._refusals = refusals
        self._table = table
        self._now = now
        self._columns = [column for column in table.c if column.name not in hidden]
        self.entity = entity

    async def add(self, values: Row) -> dict[str, Any]:
        """Insert and return the row; an `id` and timestamps are filled in.

        Raises AlreadyExists for a natural key that is taken, ValidationFailed for a reference to nothing.
        """
        new_id = {"id": uuid7()} if "id" in self._table.c else {}
        filled = {**new_id, "created_at": self._now, "updated_at": self._now, **values}
        async with self._explained(filled):
            statement = insert(self._table).values(filled).returning(*self._columns)
            return row_dict((await self._connection.execute(statement)).one())

    async def lock(self, row_id: UUID) -> dict[str, Any]:
        """The row, locked until the transaction ends; raises NotFound."""
        row = await self.find(self._table.c.id == row_id)
        if row is None:
            message = Text("There is no {entity} {row_id} that you may see.", entity=self.entity, row_id=row_id)
            raise NotFound(message)
        return row

    async def find(self, *conditions: ColumnElement[bool]) -> dict[str, Any] | None:
        """The one row that fits, locked until the transaction ends."""
        statement = select(*self._columns).where(*conditions).with_for_update(key_share=True)
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else row_dict(row)

    async def change(self, row: Row, changes: Row) -> dict[str, Any]:
        """Update a row (its key is enough), raise the revision and return the row; raises what `add` does."""
        statement = (
            update(self._table)
            .where(*self._same(row))
            .values(**changes, revision=self._table.c.revision + 1, updated_at=self._now)
            .returning(*self._columns)
        )
        async with self._explained({**row, **changes}):
            return row_dict((await self._connection.execute(statement)).one())

    async def remove(self, row: Row) -> None:
        """Delete a row (its key is enough); raises InUse while anything refers to it."""
        async with self._explained(row, removing=True):
            await self._connection.execute(delete(self._table).where(*self._same(row)))

    def _same(self, row: Row) -> list[ColumnElement[bool]]:
        return [column == row[column.name] for column in self._table.primary_key]

    def _explained(self, row: Row, *, removing: bool = False) -> AbstractAsyncContextManager[None]:
        return explained(self.entity, self._table.name, removing=removing, refusals=self._refusals, row=row)


@dataclass(frozen=True, slots=True)
class Create:
    """Add one row of a kind."""

    values: Row


@dataclass(frozen=True, slots=True)
class Change:
    """Change some fields of a row whose revision the caller has read (`*`: any)."""

    id: UUID
    revision: str
    changes: Row


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a row that nothing refers to."""

    id: UUID
    revision: str


async def create_row(rows: VersionedRows, values: Row, uow: UnitOfWork) -> Row:
    """Add a row and audit it."""
    row = await rows.add(values)
    audit_change(uow, rows.entity, "created", row)
    return row


async def change_row(rows: VersionedRows, command: Change, uow: UnitOfWork) -> Row:
    """Change a row at the revision the caller has read, and audit what became different."""
    before = await rows.lock(command.id)
    require_revision(command.revision, before["revision"])
    row = await rows.change(before, command.changes)
    audit_change(uow, rows.entity, "changed", row, before)
    return row


async def delete_row(rows: VersionedRows, command: Delete, uow: UnitOfWork) -> None:
    """Delete a row at the revision the caller has read, and audit what it was."""
    row = await rows.lock(command.id)
    require_revision(command.revision, row["revision"])
    await rows.remove(row)
    audit_change(uow, rows.entity, "deleted", row)


def require_revision(expected: str, current: int, what: str = "It") -> None:
    """Raise PreconditionFailed (412) unless `expected` (from If-Match, `*` for any) is the row's revision."""
    if expected not in ("*", str(current)):
        tag = f'"{current}"'
        message = Text("{what} has been changed since you read it; read it again and repeat your change.", what=what)
        raise PreconditionFailed(message, facts={"current": tag}, headers={"ETag": tag})


def audit_change(uow: UnitOfWork, entity: str, action: str, row: Row, before: Row | None = None) -> None:
    """Audit `<entity>.<action>` with the fields that differ from `before`; all of them without one."""
    keys = [key for key in row if key not in _KEPT_BY_US and (before is None or before.get(key) != row[key])]
    was = None if before is None else {key: _plain(before.get(key)) for key in keys}
    now = None if action == "deleted" else {key: _plain(row[key]) for key in keys}
    uow.audit(AuditEntry(f"{entity}.{action}", entity, str(row["id"]), before=was, after=now))


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | str | list | dict) else str(value)
