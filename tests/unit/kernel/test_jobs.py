"""What may be done with a job."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from dataforge.kernel.jobs import JobEnded, JobNotRetryable, JobStatus, LeasedJob

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def job(status: JobStatus) -> LeasedJob:
    return LeasedJob(id=uuid4(), status=status, user_id=None, run_parameters={}, created_at=NOW)


class TestJobs:
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
