"""Names and moves of branches and tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.datasets.refs.domain import (
    DefaultBranch,
    NotABranch,
    Ref,
    RefKind,
    RefMoved,
    RefProtected,
    check_ref_name,
)
from dataforge.kernel.errors import ValidationFailed

AT = "a" * 64
ELSEWHERE = "b" * 64


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
