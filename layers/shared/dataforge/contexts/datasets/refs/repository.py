"""The write SQL of branches and tags."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.refs.domain import Ref, RefExists, RefKind, ref_missing
from dataforge.contexts.datasets.tables import datasets, refs
from dataforge.kernel.texts import Text


class Refs:
    """Branches and tags in `datasets.refs`."""

    def __init__(self, connection: AsyncConnection, now: datetime, created_by: UUID | None) -> None:
        self._connection = connection
        self._now = now
        self._created_by = created_by

    async def lock(self, dataset_id: UUID, name: str) -> Ref:
        """The ref, locked until the end of the transaction; raises RefNotFound."""
        query = (
            select(refs, datasets.c.default_branch, datasets.c.workspace_id)
            .join(datasets, datasets.c.id == refs.c.dataset_id)
            .where(refs.c.dataset_id == dataset_id, refs.c.name == name)
            .with_for_update(of=refs)
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise ref_missing(name)
        return Ref(
            row.name,
            RefKind(row.kind),
            row.commit_id,
            row.protected,
            row.required_approvals,
            is_default=row.name == row.default_branch,
            workspace_id=row.workspace_id,
        )

    async def add(self, dataset_id: UUID, name: str, kind: RefKind, commit_id: str) -> None:
        """Insert; raises RefExists."""
        statement = (
            pg_insert(refs)
            .values(
                dataset_id=dataset_id,
                name=name,
                kind=kind.value,
                commit_id=commit_id,
                created_by=self._created_by,
                created_at=self._now,
                updated_at=self._now,
            )
            .on_conflict_do_nothing()
            .returning(refs.c.name)
        )
        if (await self._connection.execute(statement)).one_or_none() is None:
            message = Text("A branch or tag {name!r} exists; choose another name or move that one.", name=name)
            raise RefExists(message, facts={"ref": name})

    async def move(self, dataset_id: UUID, name: str, commit_id: str) -> None:
        """Put a locked ref on another commit."""
        await self._set(dataset_id, name, {"commit_id": commit_id})

    async def protect(self, dataset_id: UUID, name: str, *, protected: bool, required_approvals: int) -> None:
        """Set the protection of a locked ref."""
        await self._set(dataset_id, name, {"protected": protected, "required_approvals": required_approvals})

    async def delete(self, dataset_id: UUID, name: str) -> None:
        """Remove a locked ref."""
        await self._connection.execute(delete(refs).where(refs.c.dataset_id == dataset_id, refs.c.name == name))

    async def _set(self, dataset_id: UUID, name: str, values: dict[str, object]) -> None:
        statement = update(refs).where(refs.c.dataset_id == dataset_id, refs.c.name == name)
        await self._connection.execute(statement.values({**values, "updated_at": self._now}))
