"""Plain versioned rows, and constraint violations in the words of the product."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.academics.domain.access import missing
from dataforge.contexts.academics.domain.errors import InUse, PlanRefused, invalid
from dataforge.kernel.errors import AlreadyExists
from dataforge.kernel.ids import uuid7
from dataforge.platform.db.database import row_dict

_UNIQUE, _FOREIGN_KEY = "23505", "23503"


@asynccontextmanager
async def explained(entity: str, table: str, *, removing: bool = False) -> AsyncIterator[None]:
    """Turn violations of unique and foreign keys into AlreadyExists, ValidationFailed and InUse."""
    try:
        yield
    except IntegrityError as error:
        state = getattr(error.orig, "sqlstate", None)
        diagnostics: Any = getattr(error.orig, "diag", None)
        name = str(diagnostics.constraint_name or "")
        if state == _UNIQUE:
            fields = name.removeprefix(f"uq_{table}_").removesuffix("_ci").replace("_", " ")
            message = f"There is another {entity} with the same {fields}."
            raise AlreadyExists(message, facts={"constraint": name}) from error
        if state == _FOREIGN_KEY and removing:
            user = str(diagnostics.table_name or "").replace("_", " ")
            message = f"This {entity} is referred to by {user} and cannot be deleted; archive or close it instead."
            raise InUse(message, facts={"used_by": user}) from error
        if state == _FOREIGN_KEY:
            column = name.removeprefix(f"fk_{table}_").rsplit("_id_", 1)[0] + "_id"
            raise invalid(f"/{column}", f"There is no such thing as {column} names.", "unknown_reference") from error
        raise


@asynccontextmanager
async def refused_by_constraint() -> AsyncIterator[None]:
    """Turn what a database refuses of several changes at once into PlanRefused: nothing of them is done."""
    try:
        yield
    except (IntegrityError, DataError) as error:
        diagnostics: Any = getattr(error.orig, "diag", None)
        table = str(getattr(diagnostics, "table_name", None) or "rows").replace("_", " ")
        constraint = str(getattr(diagnostics, "constraint_name", None) or "")
        message = f"The {table} as they are now do not allow what the plan does; nothing was applied. Plan again."
        raise PlanRefused(message, facts={"constraint": constraint} if constraint else {}) from error


class SqlRows:
    """Rows of one table with `id`, `revision` and timestamps."""

    def __init__(self, connection: AsyncConnection, table: Table, entity: str, now: datetime) -> None:
        self._connection = connection
        self._table = table
        self._entity = entity
        self._now = now

    async def add(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Insert and return the row."""
        filled = {"id": uuid7(), "created_at": self._now, "updated_at": self._now, **values}
        async with explained(self._entity, self._table.name):
            return row_dict(
                (await self._connection.execute(insert(self._table).values(filled).returning(self._table))).one()
            )

    async def lock(self, row_id: UUID) -> dict[str, Any]:
        """The row under its lock; raises NotFound."""
        rows = await self._connection.execute(
            select(self._table).where(self._table.c.id == row_id).with_for_update(key_share=True)
        )
        row = rows.one_or_none()
        if row is None:
            raise missing(self._entity, row_id)
        return row_dict(row)

    async def change(self, row_id: UUID, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Update, raise the revision and return the row."""
        statement = (
            update(self._table)
            .where(self._table.c.id == row_id)
            .values(**changes, revision=self._table.c.revision + 1, updated_at=self._now)
            .returning(self._table)
        )
        async with explained(self._entity, self._table.name):
            return row_dict((await self._connection.execute(statement)).one())

    async def remove(self, row_id: UUID) -> None:
        """Delete the row; raises InUse while anything refers to it."""
        async with explained(self._entity, self._table.name, removing=True):
            await self._connection.execute(delete(self._table).where(self._table.c.id == row_id))
