"""A part of the differential bench: what was written into a file is what is read from it."""

import pytest

from infra.bench.datasets.differential import FORMATS, Disagreements, compare, same


@pytest.mark.parametrize("format_", FORMATS)
def test_what_is_written_is_what_is_read(format_: str) -> None:
    found = Disagreements()

    compare(format_, 20, found, readers=["ours"])

    assert found.files == {f"ours {format_}": 20}
    assert found.examples == {}


@pytest.mark.parametrize(
    ("read", "written"),
    [(623, "00623"), (7e89, "7E89"), (None, "NA"), (6.914271085804028e21, "6914271085804027728706"), (49.0, "+49")],
)
def test_the_comparison_sees_what_is_lost(read: object, written: str) -> None:
    assert not same(read, written)
