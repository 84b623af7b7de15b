"""What the datasets context needs from the outside: objects for its bytes, and a transaction with its repositories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from dataforge.contexts.datasets.domain.access import Grant, SubjectKind
from dataforge.contexts.datasets.domain.commits import DatasetRecord, NewCommit
from dataforge.contexts.datasets.domain.expectations import Expectation
from dataforge.contexts.datasets.domain.jobs import Job
from dataforge.contexts.datasets.domain.refs import Ref, RefKind
from dataforge.contexts.datasets.domain.reviews import Opinion, Review
from dataforge.kernel.quotas import UploadQuotas
from dataforge.kernel.unit_of_work import UnitOfWork


class Memberships(Protocol):
    """Which workspaces a person is in, from the context that owns them."""

    async def workspaces_of(self, user_id: UUID) -> Sequence[UUID]:
        """Ids of the workspaces; grants to them count for the person."""
        ...


class JobQueue(Protocol):
    """Where messages for the dataset functions are put."""

    async def send(self, body: str) -> None:
        """Make one message durable."""
        ...


class UploadedPart(Protocol):
    """A part that S3 has."""

    @property
    def number(self) -> int:
        """From 1."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def etag(self) -> str:
        """S3's entity tag of the part."""
        ...

    @property
    def sha256(self) -> str | None:
        """Base64 of the SHA-256, if S3 keeps it."""
        ...


class Datasets(Protocol):
    """Datasets and their tags."""

    async def add(self, record: DatasetRecord, description: str) -> None:
        """Insert; raises DatasetExists when the creator has one of this name."""
        ...

    async def lock(self, dataset_id: UUID) -> DatasetRecord | None:
        """The record, locked, deleted ones included."""
        ...

    async def hold(self, dataset_id: UUID) -> bool:
        """Keep garbage collection away until the transaction ends; False when the dataset is deleted."""
        ...

    async def update(self, dataset_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes and count the revision up; raises DatasetExists."""
        ...

    async def put_tags(self, dataset_id: UUID, tags: Sequence[str]) -> None:
        """Replace the tags."""
        ...

    async def next_review_number(self, dataset_id: UUID) -> int:
        """The number of the next review request, from 1."""
        ...


class Permissions(Protocol):
    """Grants."""

    async def lock(self, dataset_id: UUID) -> Sequence[Grant]:
        """All grants, held until the end of the transaction."""
        ...

    async def person_suspended(self, user_id: UUID) -> bool | None:
        """Whether the person is suspended; None when there is no such person."""
        ...

    async def put(self, dataset_id: UUID, grant: Grant) -> None:
        """Insert or replace."""
        ...

    async def remove(self, dataset_id: UUID, kind: SubjectKind, subject_id: UUID) -> None:
        """Take a grant away; a missing one is fine."""
        ...


class Refs(Protocol):
    """Branches and tags."""

    async def lock(self, dataset_id: UUID, name: str) -> Ref:
        """The ref, locked until the end of the transaction; raises RefNotFound."""
        ...

    async def add(self, dataset_id: UUID, name: str, kind: RefKind, commit_id: str) -> None:
        """Insert; raises RefExists."""
        ...

    async def move(self, dataset_id: UUID, name: str, commit_id: str) -> None:
        """Put a locked ref on another commit."""
        ...

    async def protect(self, dataset_id: UUID, name: str, *, protected: bool, required_approvals: int) -> None:
        """Set the protection of a locked ref."""
        ...

    async def delete(self, dataset_id: UUID, name: str) -> None:
        """Remove a locked ref."""
        ...


class Commits(Protocol):
    """Commits, their tables and manifests."""

    async def add(self, dataset_id: UUID, commit: NewCommit) -> None:
        """Insert what is not there yet; raises CommitNotFound when a parent is missing, StorageMoved for a record."""
        ...

    async def resolve(self, dataset_id: UUID, version: str) -> str:
        """The commit id of a branch, a tag or a commit id; raises RefNotFound or CommitNotFound."""
        ...

    async def is_ancestor(self, dataset_id: UUID, ancestor: str, descendant: str) -> bool:
        """Whether one commit is the other or comes before it in history."""
        ...


class Jobs(Protocol):
    """Jobs."""

    async def add(self, job: Job) -> None:
        """Insert a pending job."""
        ...

    async def lock(self, job_id: UUID) -> Job | None:
        """The job, locked."""
        ...

    async def claim(self, job_id: UUID, worker: UUID, lease_until: datetime) -> Job | None:
        """Take the job if nobody has it: running, with one more attempt. None when it cannot be taken now."""
        ...

    async def renew(
        self, job_id: UUID, worker: UUID, lease_until: datetime, progress: Mapping[str, Any]
    ) -> bool | None:
        """Extend the lease and note progress: whether to stop because somebody cancelled; None when the lease is
        lost.
        """
        ...

    async def complete(
        self, job_id: UUID, worker: UUID, output_summary: Mapping[str, Any], progress: Mapping[str, Any]
    ) -> None:
        """End it well; raises JobLost when another worker has it, JobCancelled when it was cancelled meanwhile."""
        ...

    async def end(self, job_id: UUID, worker: UUID, *, cancelled: bool, failure: Mapping[str, Any] | None) -> bool:
        """End it badly; False when another worker has it."""
        ...

    async def release(self, job_id: UUID, worker: UUID) -> None:
        """Let go of a job that will be tried again."""
        ...

    async def cancel(self, job_id: UUID) -> None:
        """End a locked pending job, or ask a running one to stop."""
        ...

    async def reset(self, job_id: UUID) -> None:
        """Make a locked ended job pending again."""
        ...

    async def note_queued(self, job_id: UUID) -> None:
        """A message for it was put on a queue."""
        ...

    async def rebase(self, job_id: UUID, commit_id: str) -> None:
        """Start a locked job from another commit."""
        ...

    async def remove(self, job_id: UUID) -> None:
        """Delete a locked job."""
        ...


class Uploads(Protocol):
    """Uploads."""

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert an open upload."""
        ...

    async def lock(self, dataset_id: UUID, upload_id: UUID) -> Mapping[str, Any]:
        """The row, locked; raises UploadNotFound."""
        ...

    async def update(self, upload_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes."""
        ...


class Reviews(Protocol):
    """Review requests."""

    async def add(self, values: Mapping[str, Any]) -> None:
        """Insert an open review request."""
        ...

    async def lock(self, dataset_id: UUID, number: int) -> Review:
        """The review request, locked; raises ReviewNotFound."""
        ...

    async def comment(self, values: Mapping[str, Any]) -> None:
        """Insert a comment."""
        ...

    async def judge(self, review_id: UUID, opinion: Opinion) -> None:
        """Insert or replace a person's verdict."""
        ...

    async def withdraw(self, review_id: UUID, user_id: UUID) -> None:
        """Remove a person's verdict."""
        ...

    async def opinions(self, review_id: UUID) -> Sequence[Opinion]:
        """The verdicts."""
        ...

    async def note_checks(self, review_id: UUID, head: str, target: str, results: Sequence[Mapping[str, Any]]) -> None:
        """Keep the results of the checks for a pair of commits."""
        ...

    async def update(self, review_id: UUID, changes: Mapping[str, Any]) -> None:
        """Write the changes."""
        ...


class Expectations(Protocol):
    """Expectations."""

    async def add(self, dataset_id: UUID, expectation: Expectation) -> None:
        """Insert; raises ExpectationExists when the name is taken."""
        ...

    async def remove(self, dataset_id: UUID, expectation_id: UUID) -> bool:
        """Delete; False when there is none."""
        ...


class DatasetsUnitOfWork(UnitOfWork, Protocol):
    """A transaction with the repositories of datasets."""

    @property
    def datasets(self) -> Datasets: ...
    @property
    def permissions(self) -> Permissions: ...
    @property
    def refs(self) -> Refs: ...
    @property
    def commits(self) -> Commits: ...
    @property
    def jobs(self) -> Jobs: ...
    @property
    def uploads(self) -> Uploads: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def expectations(self) -> Expectations: ...
    @property
    def upload_quota(self) -> UploadQuotas: ...
