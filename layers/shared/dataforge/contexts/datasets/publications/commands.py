"""Publish versions, stop publishing, and note how far it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dataforge.contexts.datasets.commits.queries import resolve_version
from dataforge.contexts.datasets.jobs.domain import Job, RunType
from dataforge.contexts.datasets.publications.domain import Publication, publication_missing, table_name_of
from dataforge.contexts.datasets.refs.domain import RefKind
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.kernel.ids import uuid7
from dataforge.kernel.jobs import JobStatus
from dataforge.kernel.unit_of_work import AuditEntry


@dataclass(frozen=True, slots=True)
class PublishVersion:
    """Publish one sheet of a branch, tag or commit; a branch is followed."""

    dataset_id: UUID
    version: str
    sheet: str


@dataclass(frozen=True, slots=True)
class RemovePublication:
    """Drop the table and delete its files."""

    dataset_id: UUID
    publication_id: UUID


@dataclass(frozen=True, slots=True)
class QueuedPublication:
    """A publication and the job that works on it; None when one that waits already does."""

    publication_id: UUID
    job_id: UUID | None


@dataclass(frozen=True, slots=True)
class NotePublished:
    """The table of a publication is at a commit now."""

    publication_id: UUID
    commit_id: str
    snapshot_id: int
    row_count: int


@dataclass(frozen=True, slots=True)
class EndRun:
    """A job has done what there was to do; `removed`: its table is gone."""

    publication_id: UUID
    job_id: UUID
    worker: UUID
    summary: Mapping[str, Any]
    progress: Mapping[str, Any]
    removed: bool = False


async def publish_version(command: PublishVersion, uow: DatasetsUnitOfWork) -> QueuedPublication:
    """Insert and queue its first run; raises RefNotFound, CommitNotFound, PublicationExists."""
    commit_id = await resolve_version(uow.connection, command.dataset_id, command.version)
    ref = None if command.version == commit_id else command.version
    follows = ref is not None and (await uow.refs.lock(command.dataset_id, ref)).kind is RefKind.BRANCH
    identity = uuid7()
    publication = Publication(
        identity,
        command.dataset_id,
        ref,
        follows,
        None if follows else commit_id,
        command.sheet,
        table_name_of(ref, commit_id, command.sheet, identity),
    )
    await uow.publications.add(publication)
    after = {"ref": ref, "commit_id": commit_id, "sheet": command.sheet, "table": publication.table_name}
    uow.audit(AuditEntry("published", "dataset_publication", str(identity), after=after))
    return QueuedPublication(identity, await queue_run(publication, uow))


async def remove_publication(command: RemovePublication, uow: DatasetsUnitOfWork) -> QueuedPublication:
    """Mark it and queue the run that drops it; again changes nothing. Raises PublicationNotFound."""
    publication = await uow.publications.lock(command.publication_id)
    if publication is None or publication.dataset_id != command.dataset_id:
        raise publication_missing(command.publication_id)
    if not publication.removing:
        await uow.publications.mark_removing(publication.id)
        before = {"table": publication.table_name, "commit_id": publication.published_commit_id}
        uow.audit(AuditEntry("unpublished", "dataset_publication", str(publication.id), before=before))
    return QueuedPublication(publication.id, await queue_run(publication, uow))


async def queue_run(publication: Publication, uow: DatasetsUnitOfWork) -> UUID | None:
    """A job that brings the table to where its branch is then.

    None while one waits or is at work: before it ends, it looks again at what there is to do (`end_run`).
    """
    if await uow.publications.has_open_run(publication.id):
        return None
    job = Job(
        id=uuid7(),
        run_type=RunType.PUBLICATION,
        status=JobStatus.PENDING,
        dataset_id=publication.dataset_id,
        ref_name=publication.ref_name,
        source_commit_id=publication.commit_id,
        user_id=uow.principal.user_id,
        run_parameters={"publication_id": str(publication.id), "sheet": publication.sheet},
        created_at=uow.now,
    )
    await uow.jobs.add(job)
    await uow.jobs.note_queued(job.id)
    await uow.publications.note_run(publication.id, job.id)
    return job.id


async def begin_run(job: Job, uow: DatasetsUnitOfWork) -> Publication | None:
    """The publication of a job, which nobody else works on now; None when it is gone, or another job has it.

    So two jobs never write to one table at once: one that was retried by hand leaves it to the one under way.
    """
    publication = await uow.publications.lock(UUID(str(job.run_parameters["publication_id"])))
    if publication is None or await uow.publications.has_open_run(publication.id, but=job.id):
        return None
    if publication.job_id != job.id:
        await uow.publications.note_run(publication.id, job.id)
    return publication


async def end_run(command: EndRun, uow: DatasetsUnitOfWork) -> UUID | None:
    """End the job, and queue another for what has come up meanwhile; raises JobLost, JobCancelled."""
    publication = await uow.publications.lock(command.publication_id)
    if command.removed:
        await uow.publications.remove([command.publication_id])
    await uow.jobs.complete(command.job_id, command.worker, command.summary, command.progress)
    if publication is None or command.removed or not await uow.publications.is_late(publication.id):
        return None
    return await queue_run(publication, uow)


async def queue_followers(branch: tuple[UUID, str], uow: DatasetsUnitOfWork) -> list[UUID]:
    """Jobs for the publications of a branch that has moved."""
    return [job for each in await uow.publications.lock_followers(*branch) if (job := await queue_run(each, uow))]


async def queue_late(limit: int, uow: DatasetsUnitOfWork) -> list[UUID]:
    """Jobs for publications that are behind with nothing under way, and for those whose dataset is deleted."""
    return [job for each in await uow.publications.lock_late(limit) if (job := await queue_run(each, uow))]


async def queue_looks(dataset_ids: Sequence[UUID], uow: DatasetsUnitOfWork) -> list[UUID]:
    """Jobs that look at all tables of datasets: snapshots of commits that are forgotten go."""
    return [job for each in await uow.publications.lock_of(dataset_ids) if (job := await queue_run(each, uow))]


async def note_published(command: NotePublished, uow: DatasetsUnitOfWork) -> None:
    """Write down where the table is; what failed before is over."""
    await uow.publications.note_published(
        command.publication_id, command.commit_id, command.snapshot_id, command.row_count
    )


async def note_failure(job: Job, failure: Mapping[str, Any], uow: DatasetsUnitOfWork) -> None:
    """Write down why a publication is not where it shall be."""
    await uow.publications.note_failure(UUID(str(job.run_parameters["publication_id"])), failure)
