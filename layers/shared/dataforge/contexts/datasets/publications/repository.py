"""The write SQL of publications."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.datasets.publications.domain import Publication, PublicationExists
from dataforge.contexts.datasets.tables import commits, datasets, jobs, publications, refs
from dataforge.kernel.jobs import storable
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import row_dict
from dataforge.platform.db.refusals import constraint_of

_COLUMNS = [publications.c[field.name] for field in fields(Publication)]
# What has failed is tried again after this long, or when its branch moves.
RETRY_AFTER = timedelta(minutes=15)
_UNIQUE = frozenset({"uq_publications_branch", "uq_publications_commit"})


_HEAD = (
    select(refs.c.commit_id)
    .where(refs.c.dataset_id == publications.c.dataset_id, refs.c.name == publications.c.ref_name)
    .scalar_subquery()
)
_LATE = or_(
    publications.c.removing,
    publications.c.published_commit_id.is_distinct_from(func.coalesce(publications.c.commit_id, _HEAD)),
)


def _open_run(but: UUID | None = None) -> ColumnElement[bool]:
    run = and_(jobs.c.id == publications.c.job_id, jobs.c.status.in_(("pending", "running")))
    return exists().where(run if but is None else and_(run, jobs.c.id != but))


class Publications:
    """Publications in `datasets.publications`."""

    def __init__(self, connection: AsyncConnection, now: datetime, created_by: UUID | None) -> None:
        self._connection = connection
        self._now = now
        self._created_by = created_by

    async def add(self, publication: Publication) -> None:
        """Insert; raises PublicationExists when the branch or commit is published already."""
        values = {column.name: getattr(publication, column.name) for column in _COLUMNS}
        try:
            await self._connection.execute(
                insert(publications).values(**values, created_by=self._created_by, created_at=self._now)
            )
        except IntegrityError as error:
            if constraint_of(error) in _UNIQUE:
                message = Text("This sheet is published already; see the dataset's publications.")
                raise PublicationExists(message) from error
            raise

    async def lock(self, publication_id: UUID) -> Publication | None:
        """The publication, locked."""
        found = await self._locked(publications.c.id == publication_id)
        return found[0] if found else None

    async def lock_followers(self, dataset_id: UUID, ref: str) -> list[Publication]:
        """The publications that follow a branch, locked."""
        mine = and_(publications.c.dataset_id == dataset_id, publications.c.ref_name == ref, publications.c.follows)
        return await self._locked(and_(mine, publications.c.removing.is_(False)))

    async def lock_late(self, limit: int) -> list[Publication]:
        """Publications that something must be done about and for which nothing is under way, locked.

        Those that are behind their branch or have never been made, those that shall go, and those of deleted datasets
        and of commits that the dataset has forgotten, which are marked as such.
        """
        of_deleted = exists().where(datasets.c.id == publications.c.dataset_id, datasets.c.deleted_at.is_not(None))
        kept = exists().where(
            commits.c.dataset_id == publications.c.dataset_id, commits.c.commit_id == publications.c.published_commit_id
        )
        forgotten = and_(publications.c.published_commit_id.is_not(None), ~kept)
        await self._connection.execute(
            update(publications)
            .where(publications.c.removing.is_(False), or_(of_deleted, forgotten))
            .values(removing=True)
        )
        rested = or_(publications.c.failed_at.is_(None), publications.c.failed_at < self._now - RETRY_AFTER)
        return await self._locked(and_(_LATE, rested, ~_open_run()), limit)

    async def lock_of(self, dataset_ids: Sequence[UUID]) -> list[Publication]:
        """The publications of datasets, locked."""
        return await self._locked(publications.c.dataset_id.in_(dataset_ids))

    async def is_late(self, publication_id: UUID) -> bool:
        """Whether its table is not where it shall be."""
        return bool(await self._connection.scalar(select(_LATE).where(publications.c.id == publication_id)))

    async def _locked(self, condition: Any, limit: int | None = None) -> list[Publication]:  # noqa: ANN401 - SQL
        query = select(*_COLUMNS).where(condition).order_by(publications.c.id).limit(limit)
        rows = await self._connection.execute(query.with_for_update(of=publications))
        return [Publication(**row_dict(row)) for row in rows]

    async def has_open_run(self, publication_id: UUID, *, but: UUID | None = None) -> bool:
        """Whether its job, if it is not this one, waits or is at work."""
        return bool(await self._connection.scalar(select(_open_run(but)).where(publications.c.id == publication_id)))

    async def note_run(self, publication_id: UUID, job_id: UUID) -> None:
        """This job works on it."""
        await self._set(publication_id, {"job_id": job_id})

    async def mark_removing(self, publication_id: UUID) -> None:
        """It shall go, now."""
        await self._set(publication_id, {"removing": True, "failure": None, "failed_at": None})

    async def note_published(self, publication_id: UUID, commit_id: str, snapshot_id: int, row_count: int) -> None:
        """The table is at this commit."""
        at = {"published_commit_id": commit_id, "snapshot_id": snapshot_id, "row_count": row_count}
        await self._set(publication_id, {**at, "published_at": self._now, "failure": None, "failed_at": None})

    async def note_failure(self, publication_id: UUID, failure: Mapping[str, Any]) -> None:
        """The last run has failed."""
        await self._set(publication_id, {"failure": storable(failure), "failed_at": self._now})

    async def remove(self, publication_ids: Sequence[UUID]) -> None:
        """Delete the rows."""
        await self._connection.execute(delete(publications).where(publications.c.id.in_(publication_ids)))

    async def _set(self, publication_id: UUID, values: Mapping[str, Any]) -> None:
        await self._connection.execute(update(publications).where(publications.c.id == publication_id).values(values))
