"""A few tests that fail run once more by themselves; what fails again, or many at once, fails the run."""

from pathlib import Path

import pytest

from infra.local import checks

ONCE = """
from pathlib import Path

def test_at_the_second_time():
    flag = Path(__file__).with_suffix(".flag")
    seen = flag.exists()
    flag.touch()
    assert seen

def test_always(): pass
"""
NEVER = "def test_never(): assert False\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of tests, and nothing known of any."""
    monkeypatch.setattr(checks, "_PYTEST", (*checks._PYTEST[:3], "-q", f"--rootdir={tmp_path}"))
    monkeypatch.setattr(checks, "_unsteady", [])
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    monkeypatch.setattr(checks, "LOCAL", tmp_path)
    # What the run around this one measures with is not in the sample's reach.
    monkeypatch.delenv("PYTEST_PLUGINS", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return tmp_path


@pytest.mark.parametrize("parallel", [(), ("-n", "2")])
def test_what_passes_by_itself_is_named_and_fails_nothing(run: Path, parallel: tuple[str, ...]) -> None:
    (run / "test_sample.py").write_text(ONCE)

    assert checks._tests("tests of a sample", [*parallel, str(run)]) == 0
    assert checks._unsteady == ["test_sample.py::test_at_the_second_time"]


def test_what_fails_again_fails_the_run(run: Path) -> None:
    (run / "test_sample.py").write_text(ONCE + NEVER)

    assert checks._told_at_the_end("tests of a sample", [str(run)]) == 1
    assert checks._unsteady == []


def test_many_failures_are_no_matter_of_chance(run: Path) -> None:
    for number in range(checks._MOST_UNSTEADY + 1):
        (run / f"test_sample_{number}.py").write_text(ONCE)

    assert checks._tests("tests", [str(run)]) == 1
    assert checks._unsteady == []


def test_a_file_that_cannot_be_read_fails_the_run(run: Path) -> None:
    (run / "test_sample.py").write_text("import no_such_module\n")

    assert checks._tests("tests", [str(run)]) != 0
