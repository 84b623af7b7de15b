"""What may be done with a job."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from dataforge.contexts.datasets.jobs.domain import Job, JobEnded, JobNotRetryable, JobStatus, RunType

AT = "a" * 64
NOW = datetime(2026, 9, 1, tzinfo=UTC)
DATASET = UUID(int=1)


def job(status: JobStatus, lease_until: datetime | None = None) -> Job:
    return Job(uuid4(), RunType.IMPORT, status, DATASET, "main", AT, None, {}, NOW, lease_until=lease_until)


class TestJobs:
    @pytest.mark.parametrize(
        ("status", "lease", "free"),
        [
            (JobStatus.PENDING, None, True),
            (JobStatus.RUNNING, NOW + timedelta(seconds=1), False),
            (JobStatus.RUNNING, NOW, True),
            (JobStatus.COMPLETED, None, False),
            (JobStatus.FAILED, None, False),
            (JobStatus.CANCELLED, None, False),
        ],
    )
    def test_a_job_is_free_when_it_waits_or_its_worker_is_gone(
        self, status: JobStatus, lease: datetime | None, free: bool
    ) -> None:
        assert job(status, lease).claimable(NOW) is free

    @pytest.mark.parametrize("status", list(JobStatus))
    def test_what_can_be_cancelled_cannot_be_retried(self, status: JobStatus) -> None:
        one = job(status)
        open_ = status in (JobStatus.PENDING, JobStatus.RUNNING)

        if open_:
            one.check_cancellable()
            with pytest.raises(JobNotRetryable):
                one.check_retryable()
        else:
            with pytest.raises(JobEnded):
                one.check_cancellable()
