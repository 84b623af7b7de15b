"""Carry out a plan of an import, if the branch is where it was."""

from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.datasets.imports.domain import KIND, PLANNED, moved_since, plan_state
from dataforge.contexts.datasets.imports.queries import plan_missing
from dataforge.contexts.datasets.jobs.domain import RunType
from dataforge.contexts.datasets.unit_of_work import DatasetsUnitOfWork
from dataforge.contexts.datasets.uploads.commands import job_of
from dataforge.kernel.jobs import OPEN, JobStatus
from dataforge.kernel.plans import Plan


@dataclass(frozen=True, slots=True)
class ApplyImport:
    """Do what the plan with this hash says."""

    dataset_id: UUID
    plan_hash: str


@dataclass(frozen=True, slots=True)
class AppliedImport:
    """The job that carries a plan out; `begun` now, or before by an earlier request."""

    job_id: UUID
    begun: bool
    upload_id: UUID
    size: int


async def apply_import(command: ApplyImport, uow: DatasetsUnitOfWork) -> AppliedImport:
    """Make the job of a plan, or find it; raises PlanUnknown, PlanExpired, PlanStale, RefNotFound, RefProtected."""
    plan = await uow.plans.lock(KIND, command.plan_hash)
    if plan.inputs["dataset_id"] != str(command.dataset_id):
        raise plan_missing(command.plan_hash)
    upload_id, size = UUID(plan.preview["upload_id"]), int(plan.preview["size_bytes"])
    if plan.job_id is not None and await _stands(plan.job_id, uow):
        return AppliedImport(plan.job_id, begun=False, upload_id=upload_id, size=size)
    ref = await uow.refs.lock(command.dataset_id, plan.inputs["ref"])
    ref.check_takes_commits()
    _check(plan, ref.name, ref.commit_id, uow)
    row = await uow.uploads.lock(command.dataset_id, upload_id)
    job = job_of(row, RunType.IMPORT, uow, **{PLANNED: plan.preview["content_hash"]})
    await uow.jobs.add(job)
    await uow.jobs.note_queued(job.id)
    await uow.plans.note_applied(plan.id, job.id)
    return AppliedImport(job.id, begun=True, upload_id=upload_id, size=size)


async def _stands(job_id: UUID, uow: DatasetsUnitOfWork) -> bool:
    """Whether an earlier apply has done it or is about to; one that failed may be repeated."""
    job = await uow.jobs.lock(job_id)
    return job is not None and (job.status in OPEN or job.status is JobStatus.COMPLETED)


def _check(plan: Plan, ref: str, commit_id: str, uow: DatasetsUnitOfWork) -> None:
    seen = plan.state["commit_id"]
    if uow.now < plan.expires_at and commit_id != seen:
        raise moved_since(ref, seen, commit_id)
    plan.check(plan_state(commit_id), uow.now)
