"""The CPU seconds of two commits, run in turn on one machine: ratios of medians travel, rates do not.

    python -m infra.bench.sidebyside BASE [--runs 7] [--only tables datasets academics cold etl lrs imports]

BASE is a checkout of the commit to compare with, whose tools are installed (`make setup` in it). Each run takes a probe
of `infra/bench/probes.py`, or a bench of its own, first on BASE and then on this tree.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from infra.local.layout import ROOT

PROBES = ("tables", "datasets", "academics", "cold")
BENCHES = {
    "etl": ("infra.bench.etl", "--statements", "20000"),
    "lrs": ("infra.bench.lrs_load", "--seconds", "4", "--stored", "20000"),
    "imports": ("infra.bench.imports",),
}
# What the benches of statements print besides CPU time.
_NO_CPU = {"statements", "statements_per_second", "accepted_per_second", "listed_per_second", "completions"}


def run(name: str, tree: Path) -> dict[str, float]:
    """The figures of one run on the code of that tree."""
    command = [str(tree / ".venv" / "bin" / "python"), "-P"]
    if name in PROBES:
        command += [str(ROOT / "infra" / "bench" / "probes.py"), name]
    else:
        command += ["-m", *BENCHES[name]]
    path = [tree / "layers" / "shared", tree / "layers" / "columnar", tree]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    done = subprocess.run(command, cwd=tree, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return dict(_figures(json.loads(done.stdout.splitlines()[-1])))


def _figures(found: dict[str, object], prefix: str = "") -> list[tuple[str, float]]:
    """Nested objects flattened."""
    flat: list[tuple[str, float]] = []
    for name, value in found.items():
        if isinstance(value, dict):
            flat += _figures(value, f"{prefix}{name} ")
        elif isinstance(value, int | float) and name not in _NO_CPU:
            flat.append((f"{prefix}{name}", float(value)))
    return flat


Runs = dict[str, list[float]]


def measured(name: str, base: Path, runs: int) -> tuple[Runs, Runs]:
    """The figures of so many runs on the base and on this tree, in turn."""
    before: Runs = {}
    now: Runs = {}
    for _ in range(runs):
        for tree, found in ((base, before), (ROOT, now)):
            for figure, value in run(name, tree).items():
                found.setdefault(figure, []).append(value)
    return before, now


def main() -> int:
    """Print a table: the median of each tree and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=[*PROBES, *BENCHES], default=[*PROBES, *BENCHES])
    given = parser.parse_args()
    base = given.base.resolve()
    print(f"| CPU, median of {given.runs} | before | now | ratio |\n|---|---|---|---|")
    for name in given.only:
        before, now = measured(name, base, given.runs)
        for figure, values in now.items():
            new = statistics.median(values)
            if figure not in before:
                print(f"| {name}: {figure} | - | {new:.3f} | - |", flush=True)
                continue
            old = statistics.median(before[figure])
            print(f"| {name}: {figure} | {old:.3f} | {new:.3f} | {new / old:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
