"""When a proposal may be merged."""

from uuid import uuid4

from dataforge.contexts.datasets.reviews.domain import Opinion, Verdict, missing_for_merge

AT = "a" * 64
ELSEWHERE = "b" * 64


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
