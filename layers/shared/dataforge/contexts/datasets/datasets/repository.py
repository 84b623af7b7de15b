"""The write SQL of datasets, their tags and grants."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.datasets.domain import (
    DatasetExists,
    DatasetRecord,
    Grant,
    SubjectKind,
)
from dataforge.contexts.datasets.tables import (
    dataset_permissions,
    dataset_tags,
    datasets,
    directory,
    memberships,
    publications,
)
from dataforge.kernel.access import Level
from dataforge.kernel.texts import Text
from dataforge.platform.db.reassign import reassign
from dataforge.platform.db.refusals import constraint_of

_HIGHER_LEVEL = text(
    "UPDATE datasets.dataset_permissions k SET level = m.level FROM datasets.dataset_permissions m "
    "WHERE m.dataset_id = k.dataset_id AND m.subject_kind = 'user' AND k.subject_kind = 'user' "
    "AND m.subject_id = :merged AND k.subject_id = :kept AND array_position(ARRAY['read','write','admin'], "
    "CAST(m.level AS text)) > array_position(ARRAY['read','write','admin'], CAST(k.level AS text))"
)
_RECORD = (
    datasets.c.id,
    datasets.c.name,
    datasets.c.default_branch,
    datasets.c.revision,
    datasets.c.created_by,
    datasets.c.workspace_id,
    datasets.c.deleted_at,
)


def _exists(error: IntegrityError, name: object) -> IntegrityError | DatasetExists:
    owners = {"uq_datasets_name_created_by": "You already have", "uq_datasets_workspace_id_name": "The workspace has"}
    owner = owners.get(constraint_of(error) or "")
    if owner is None:
        return error
    return DatasetExists(
        Text("{owner} a dataset named {name!r}; choose another name.", owner=owner, name=name), facts={"name": name}
    )


class Datasets:
    """Datasets in `datasets.datasets` and `datasets.dataset_tags`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, record: DatasetRecord, description: str) -> None:
        """Insert; raises DatasetExists when the creator has one of this name."""
        statement = insert(datasets).values(
            id=record.id,
            name=record.name,
            description=description,
            default_branch=record.default_branch,
            created_by=record.created_by,
            workspace_id=record.workspace_id,
            created_at=self._now,
            updated_at=self._now,
        )
        try:
            await self._connection.execute(statement)
        except IntegrityError as error:
            raise _exists(error, record.name) from error

    async def lock(self, dataset_id: UUID) -> DatasetRecord | None:
        """The record, locked, deleted ones included."""
        query = select(*_RECORD).where(datasets.c.id == dataset_id).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else DatasetRecord(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented accessor

    async def lock_of_workspace(self, workspace_id: UUID) -> list[DatasetRecord]:
        """The records of a workspace's datasets, locked, deleted ones included."""
        query = select(*_RECORD).where(datasets.c.workspace_id == workspace_id).order_by(datasets.c.id)
        rows = (await self._connection.execute(query.with_for_update())).all()
        return [DatasetRecord(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented accessor

    async def hold(self, dataset_id: UUID) -> bool:
        """Keep garbage collection away until the transaction ends; writers do not wait for each other here."""
        query = select(datasets.c.deleted_at).where(datasets.c.id == dataset_id).with_for_update(read=True)
        row = (await self._connection.execute(query)).one_or_none()
        return row is not None and row.deleted_at is None

    async def update(self, dataset_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up; raises DatasetExists."""
        values = {**changes, "updated_at": self._now, "revision": datasets.c.revision + 1}
        try:
            await self._connection.execute(update(datasets).where(datasets.c.id == dataset_id).values(values))
        except IntegrityError as error:
            raise _exists(error, changes.get("name", "it had")) from error

    async def put_tags(self, dataset_id: UUID, tags: Sequence[str]) -> None:
        """Replace the tags."""
        await self._connection.execute(delete(dataset_tags).where(dataset_tags.c.dataset_id == dataset_id))
        if tags:
            rows = [{"dataset_id": dataset_id, "tag": tag} for tag in tags]
            await self._connection.execute(insert(dataset_tags), rows)

    async def next_review_number(self, dataset_id: UUID) -> int:
        """The number of the next review request, from 1; the row lock makes them gapless."""
        statement = (
            update(datasets)
            .where(datasets.c.id == dataset_id)
            .values(review_count=datasets.c.review_count + 1)
            .returning(datasets.c.review_count)
        )
        return int((await self._connection.execute(statement)).scalar_one())

    async def lock_kept(self, maintained_before: datetime, limit: int) -> list[UUID]:
        """Ids of datasets whose storage was last looked after, or which were made, before this; locked."""
        return await self._lock_where(datasets.c.deleted_at.is_(None), maintained_before, limit)

    async def lock_deleted(self, deleted_before: datetime, maintained_before: datetime, limit: int) -> list[UUID]:
        """The same of datasets that were deleted before this, once nothing of them is published any more."""
        published = exists().where(publications.c.dataset_id == datasets.c.id)
        gone = and_(datasets.c.deleted_at < deleted_before, ~published)
        return await self._lock_where(gone, maintained_before, limit)

    async def _lock_where(self, which: ColumnElement[bool], maintained_before: datetime, limit: int) -> list[UUID]:
        due = func.coalesce(datasets.c.upkeep_at, datasets.c.created_at) < maintained_before
        query = select(datasets.c.id).where(which, due).order_by(datasets.c.id).limit(limit)
        return list((await self._connection.scalars(query.with_for_update(skip_locked=True))).all())

    async def note_maintenance(self, dataset_ids: Sequence[UUID]) -> None:
        """The storage of these is being looked after now."""
        statement = update(datasets).where(datasets.c.id.in_(dataset_ids))
        await self._connection.execute(statement.values(upkeep_at=self._now))

    async def erase(self, dataset_id: UUID) -> None:
        """Delete the row and, with it, all that belongs to the dataset."""
        await self._connection.execute(delete(datasets).where(datasets.c.id == dataset_id))


class Permissions:
    """Grants in `datasets.dataset_permissions`."""

    def __init__(self, connection: AsyncConnection, now: datetime, granted_by: UUID | None) -> None:
        self._connection = connection
        self._now = now
        self._granted_by = granted_by

    async def lock(self, dataset_id: UUID) -> Sequence[Grant]:
        """All grants; the lock on the dataset makes two revocations take turns."""
        await self._connection.execute(select(datasets.c.id).where(datasets.c.id == dataset_id).with_for_update())
        query = select(dataset_permissions).where(dataset_permissions.c.dataset_id == dataset_id)
        return [
            Grant(SubjectKind(row.subject_kind), row.subject_id, Level(row.level))
            for row in await self._connection.execute(query)
        ]

    async def person_suspended(self, user_id: UUID) -> bool | None:
        """Whether the person is suspended; None when there is no such person."""
        query = select(directory.c.suspended_at.is_not(None)).where(directory.c.user_id == user_id)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def is_member(self, workspace_id: UUID, user_id: UUID | None) -> bool | None:
        """Whether the person is in the workspace; None when there is no such workspace."""
        query = select(func.bool_or(memberships.c.user_id == user_id)).where(memberships.c.workspace_id == workspace_id)
        found: bool | None = (await self._connection.execute(query)).scalar_one()
        return found

    async def put(self, dataset_id: UUID, grant: Grant) -> None:
        """Insert or replace."""
        values = {"level": grant.level.value, "granted_by": self._granted_by, "granted_at": self._now}
        statement = pg_insert(dataset_permissions).values(
            dataset_id=dataset_id, subject_kind=grant.kind.value, subject_id=grant.subject_id, **values
        )
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["dataset_id", "subject_kind", "subject_id"], set_=values)
        )

    async def remove(self, dataset_id: UUID, kind: SubjectKind, subject_id: UUID) -> None:
        """Take a grant away; a missing one is fine."""
        await self._connection.execute(
            delete(dataset_permissions).where(
                dataset_permissions.c.dataset_id == dataset_id,
                dataset_permissions.c.subject_kind == kind.value,
                dataset_permissions.c.subject_id == subject_id,
            )
        )


async def merge_grants(connection: AsyncConnection, *, merged: UUID, kept: UUID) -> None:
    """Let what one account may do with datasets be allowed to another: of two levels the higher one stays."""
    await connection.execute(_HIGHER_LEVEL, {"merged": merged, "kept": kept})
    await reassign(connection, dataset_permissions.c.subject_id, before=merged, after=kept)
