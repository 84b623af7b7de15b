"""The gate of speed: short benches beside another commit; a figure above 1.1 times its CPU time fails.

    make bench-gate [BASE=commit] [ONLY="tables cold"]

BASE is the parent of the last commit, or the last commit itself while there are changes that are not committed. Its
files go to `.local/gate`, and its tools are ours where both lock the same. What is above the limit is measured again
with more runs before it counts, because medians of few runs differ by some per cent on a busy machine.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from infra.bench.sidebyside import PROBES, Runs, measured
from infra.local.layout import LOCAL, ROOT

LIMIT = 1.1
# Below so many CPU seconds a difference is the clock's and the allocator's.
LEAST_SECONDS = 0.02
RUNS, MORE_RUNS = 3, 7


@dataclass(frozen=True)
class Comparison:
    """A figure on both sides: medians in CPU seconds."""

    name: str
    before: float
    now: float

    @property
    def ratio(self) -> float:
        """How many times as long it takes now."""
        return self.now / self.before if self.before > 0 else 1.0

    @property
    def slower(self) -> bool:
        """Whether it is slower than the limit allows, by more than clocks tell."""
        return self.ratio > LIMIT and self.now - self.before > LEAST_SECONDS

    def __str__(self) -> str:
        return (
            f"| {self.name} | {self.before:.3f} | {self.now:.3f} | {self.ratio:.2f}{' above' if self.slower else ''} |"
        )


def comparisons(probe: str, before: Runs, now: Runs) -> list[Comparison]:
    """The figures that both sides have."""
    return [
        Comparison(f"{probe}: {figure}", statistics.median(before[figure]), statistics.median(values))
        for figure, values in now.items()
        if figure in before
    ]


def main() -> int:
    """Print a table; returns 1 when a figure is above the limit also when measured again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="", help="a commit")
    parser.add_argument("--only", nargs="+", choices=PROBES, default=list(PROBES))
    given = parser.parse_args()
    try:
        commit = _commit(given.base or _default_base())
        base = _checkout(commit)
    except subprocess.CalledProcessError as error:
        print(f"error: {(error.stderr or b'').decode(errors='replace').strip() or error}", file=sys.stderr)
        return 2
    print(f"| CPU seconds, medians | {commit[:8]} | now | ratio (≤ {LIMIT}) |\n|---|---|---|---|", flush=True)
    slower = []
    for probe in given.only:
        found = comparisons(probe, *measured(probe, base, RUNS))
        if any(figure.slower for figure in found):
            found = comparisons(probe, *measured(probe, base, MORE_RUNS))
        for figure in found:
            print(figure, flush=True)
        slower += [figure.name for figure in found if figure.slower]
    if slower:
        print(f"slower than {commit[:8]}: {', '.join(slower)}", file=sys.stderr)
    return 1 if slower else 0


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def _commit(name: str) -> str:
    return _git("rev-parse", "--verify", f"{name}^{{commit}}").decode().strip()


def _default_base() -> str:
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return "HEAD" if changed else "HEAD^"


def _checkout(commit: str) -> Path:
    """The files of a commit with its tools; those of an earlier run are used again."""
    tree = LOCAL / "gate" / commit
    if not (tree / "Makefile").exists():
        shutil.rmtree(tree, ignore_errors=True)
        partial = tree.with_name(f"{commit}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        with tarfile.open(fileobj=BytesIO(_git("archive", "--format=tar", commit))) as archive:
            archive.extractall(partial, filter="data")
        partial.rename(tree)
    if _locked(tree) == _locked(ROOT):
        _link(tree / ".venv", ROOT / ".venv")
        (tree / ".local").mkdir(exist_ok=True)
        _link(tree / ".local" / "tools", ROOT / ".local" / "tools")
    else:
        # A Make of its own: variables of the one around it may name our tools.
        subprocess.run(["make", "setup"], cwd=tree, check=True, env={**os.environ, "MAKEFLAGS": ""})
    return tree


def _locked(tree: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (tree / "requirements").glob("*.txt")}


def _link(link: Path, target: Path) -> None:
    if not link.exists():
        link.symlink_to(target.resolve(), target_is_directory=True)


if __name__ == "__main__":
    sys.exit(main())
