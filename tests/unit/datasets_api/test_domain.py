"""Rules of datasets that need no database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.datasets.domain.access import (
    AccessTooLow,
    DatasetNotFound,
    Grant,
    LastDatasetAdmin,
    Level,
    SubjectKind,
    check_access,
    check_an_administrator_remains,
    strongest,
)
from dataforge.contexts.datasets.domain.jobs import Job, JobEnded, JobNotRetryable, JobStatus, RunType
from dataforge.contexts.datasets.domain.refs import (
    DefaultBranch,
    NotABranch,
    Ref,
    RefKind,
    RefMoved,
    RefProtected,
    check_ref_name,
)
from dataforge.contexts.datasets.domain.reviews import Opinion, Verdict, missing_for_merge
from dataforge.contexts.datasets.domain.uploads import (
    MAX_PARTS,
    MAX_SIZE,
    MIN_PART,
    PartRefused,
    plan_parts,
    safe_file_name,
)
from dataforge.kernel.errors import ValidationFailed

AT = "a" * 64
ELSEWHERE = "b" * 64
NOW = datetime(2026, 9, 1, tzinfo=UTC)
DATASET = UUID(int=1)


class TestAccess:
    @pytest.mark.parametrize("held", list(Level))
    @pytest.mark.parametrize("needed", list(Level))
    def test_a_level_covers_itself_and_the_ones_before_it(self, held: Level, needed: Level) -> None:
        assert held.covers(needed) is (held.rank >= needed.rank)

    def test_the_strongest_grant_counts(self) -> None:
        assert strongest([Level.READ, Level.ADMIN, Level.WRITE]) is Level.ADMIN
        assert strongest([]) is None

    def test_no_access_looks_like_no_dataset(self) -> None:
        with pytest.raises(DatasetNotFound):
            check_access(None, Level.READ, DATASET)

    def test_too_little_access_is_told(self) -> None:
        with pytest.raises(AccessTooLow) as refusal:
            check_access(Level.READ, Level.WRITE, DATASET)

        assert refusal.value.facts == {"required": "write", "held": "read"}

    def test_a_workspace_is_no_administrator(self) -> None:
        with pytest.raises(LastDatasetAdmin):
            check_an_administrator_remains([Grant(SubjectKind.WORKSPACE, uuid4(), Level.ADMIN)])


class TestRefs:
    @pytest.mark.parametrize("name", ["main", "v1.0", "2026-autumn", "a", "A_b-c.d", "a" * 100])
    def test_a_plain_name_is_good(self, name: str) -> None:
        assert check_ref_name(name) == name

    @given(st.text(max_size=110))
    def test_a_good_name_is_one_path_segment_and_no_commit_id(self, name: str) -> None:
        try:
            check_ref_name(name)
        except ValidationFailed:
            return

        assert name.isascii()
        assert not set(name) & set("/\\?#% \n")
        assert ".." not in name
        assert len(name) != 64 or not set(name) <= set("0123456789abcdef")

    def test_a_moved_ref_names_both_commits(self) -> None:
        with pytest.raises(RefMoved) as refusal:
            Ref("main", RefKind.BRANCH, AT).check_at(ELSEWHERE)

        assert refusal.value.facts == {"ref": "main", "expected_commit": ELSEWHERE, "current_commit": AT}

    def test_any_commit_matches_a_star(self) -> None:
        Ref("main", RefKind.BRANCH, AT).check_at("*")

    def test_tags_and_protected_branches_take_no_commits(self) -> None:
        with pytest.raises(NotABranch):
            Ref("v1", RefKind.TAG, AT).check_takes_commits()
        with pytest.raises(RefProtected):
            Ref("main", RefKind.BRANCH, AT, protected=True).check_takes_commits()

    def test_the_default_branch_stays(self) -> None:
        with pytest.raises(DefaultBranch):
            Ref("main", RefKind.BRANCH, AT, is_default=True).check_deletable()


class TestUploads:
    @given(st.integers(0, MAX_SIZE))
    def test_the_parts_of_any_file_add_up_to_it_within_the_limits_of_s3(self, size: int) -> None:
        plan = plan_parts(size)

        lengths = plan.part_size * (plan.count - 1) + plan.length(plan.count)
        assert lengths == size
        assert 1 <= plan.count <= MAX_PARTS
        assert plan.count == 1 or plan.part_size >= MIN_PART

    @pytest.mark.parametrize(("size", "wanted"), [(-1, None), (MAX_SIZE + 1, None), (10, MIN_PART - 1)])
    def test_what_s3_would_refuse_is_refused(self, size: int, wanted: int | None) -> None:
        with pytest.raises(PartRefused):
            plan_parts(size, wanted)

    @pytest.mark.parametrize("number", [0, 3, -1])
    def test_a_part_outside_of_the_plan_is_refused(self, number: int) -> None:
        with pytest.raises(PartRefused):
            plan_parts(MIN_PART + 1, MIN_PART).length(number)

    @given(st.text(max_size=300))
    def test_a_file_name_becomes_a_harmless_label(self, name: str) -> None:
        label = safe_file_name(name)

        assert 1 <= len(label) <= 100
        assert label.isascii()
        assert "/" not in label
        assert not label.startswith(".")


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


class TestReviews:
    def missing(self, *opinions: Opinion, approvals: int = 1, failed: tuple[str, ...] = ()) -> list[str]:
        return missing_for_merge(opinions, head=AT, required_approvals=approvals, failed_checks=failed)

    def test_an_approval_of_the_present_head_is_enough(self) -> None:
        assert self.missing(Opinion(uuid4(), Verdict.APPROVED, AT)) == []

    def test_an_approval_of_an_older_head_does_not_count(self) -> None:
        assert len(self.missing(Opinion(uuid4(), Verdict.APPROVED, ELSEWHERE))) == 1

    def test_requested_changes_and_failing_checks_stand_in_the_way(self) -> None:
        missing = self.missing(
            Opinion(uuid4(), Verdict.APPROVED, AT),
            Opinion(uuid4(), Verdict.CHANGES_REQUESTED, ELSEWHERE),
            failed=("unique mail",),
        )

        assert missing == ["1 reviewer(s) requested changes", "the check 'unique mail' fails"]
