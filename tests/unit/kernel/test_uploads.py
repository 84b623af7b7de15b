"""How files are cut into parts, and what they may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.uploads import MAX_PARTS, MAX_SIZE, MIN_PART, PartRefused, plan_parts, safe_file_name


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
