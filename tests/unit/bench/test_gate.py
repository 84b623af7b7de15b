"""The gate of speed: what counts as slower, and where the files of the other commit come from."""

import subprocess
from pathlib import Path

import pytest

from infra.bench import gate


@pytest.mark.parametrize(
    ("before", "now", "slower"),
    [
        (1.0, 1.09, False),
        (1.0, 1.11, True),
        (1.0, 0.5, False),
        (0.02, 0.03, False),  # half as much again, and less than clocks tell
        (0.0, 0.0, False),
    ],
)
def test_slower_is_a_tenth_more_and_more_than_clocks_tell(before: float, now: float, slower: bool) -> None:
    assert gate.Comparison("a figure", before, now).slower is slower


def test_medians_are_compared_of_figures_that_both_sides_have() -> None:
    found = gate.comparisons("tables", {"import": [3.0, 1.0, 2.0]}, {"import": [9.0, 1.0, 4.0], "new": [1.0]})

    assert found == [gate.Comparison("tables: import", 2.0, 4.0)]
    assert str(found[0]) == "| tables: import | 2.000 | 4.000 | 2.00 above |"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits of a tree that locks its tools."""
    root = tmp_path / "tree"
    (root / "requirements").mkdir(parents=True)
    (root / ".venv").mkdir()
    (root / ".local" / "tools").mkdir(parents=True)
    (root / ".gitignore").write_text(".venv\n.local\n")
    (root / "requirements" / "dev.txt").write_text("some==1\n")
    monkeypatch.setattr(gate, "ROOT", root)
    monkeypatch.setattr(gate, "LOCAL", root / ".local")
    _git(root, "init", "-q")
    for text in ("all:\n", "all: one\n"):
        (root / "Makefile").write_text(text)
        _git(root, "add", ".")
        _git(root, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "A commit")
    return root


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)


def test_the_parent_is_the_base_until_something_is_changed(repository: Path) -> None:
    assert gate._default_base() == "HEAD^"

    (repository / "Makefile").write_text("all: two\n")

    assert gate._default_base() == "HEAD"


def test_a_commit_is_laid_out_once_with_the_tools_that_it_locks_as_well(repository: Path) -> None:
    tree = gate._checkout(gate._commit("HEAD^"))

    assert (tree / "Makefile").read_text() == "all:\n"
    assert (tree / ".venv").resolve() == repository / ".venv"
    assert (tree / ".local" / "tools").resolve() == repository / ".local" / "tools"
    assert gate._checkout(gate._commit("HEAD^")) == tree


def test_a_commit_that_is_not_there_is_said(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["gate", "--base", "no-such-commit"])

    assert gate.main() == 2
    assert "error: " in capsys.readouterr().err
