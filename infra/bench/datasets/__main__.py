"""The figures of versioned datasets, one JSON line each; exits with 1 when a limit is missed.

    python -m infra.bench.datasets [--rows 1000000] [--store local|emulator|both] [--parts figures files growth peers]

`figures` runs on a local directory and again on the emulator's bucket, and so does `imports`, which is its first part
alone (asked for by name only). `publications` (with `figures`, too), `files` (workbooks, JSON lines, Parquet), `growth`
and `peers` run on local disk. Wall times of a machine that does other things say little: ratios to the floor of the
same run and CPU seconds travel.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from infra.bench.datasets.differences import differences
from infra.bench.datasets.generate import write, write_first
from infra.bench.datasets.growth import growth
from infra.bench.datasets.imports import imports, shapes
from infra.bench.datasets.measuring import apart
from infra.bench.datasets.other_files import other_files
from infra.bench.datasets.peers import peers
from infra.bench.datasets.publications import publications
from infra.bench.datasets.stores import Place, started
from infra.bench.datasets.uses import uses
from infra.bench.figure import Figure, show

PARTS = ("figures", "imports", "publications", "files", "growth", "peers")


def figures(place: Place, folder: Path, rows: int, delay: float, *, all_parts: bool) -> Iterator[Figure]:
    """Every figure of one store, or those of imports alone."""
    one, two = apart(write, folder, rows)
    yield from imports(place, one, two)
    if not all_parts:
        return
    yield from uses(place, delay)
    yield from differences(place, one, two)
    if rows >= 300_000:
        yield from shapes(place)


def main() -> int:
    """Run what is asked for in a temporary folder, or in one that keeps the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--get-delay-ms", type=float, default=30)
    parser.add_argument("--store", choices=["local", "emulator", "both"], default="both")
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=("figures", "files", "growth", "peers"))
    parser.add_argument("--largest", type=int, default=10_000_000, help="rows of the largest table of `growth`")
    given = parser.parse_args()
    missed = 0
    folder: Path
    with nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        delay = given.get_delay_ms / 1000
        of_store = partial(figures, folder=folder, rows=given.rows, delay=delay, all_parts="figures" in given.parts)
        if {"figures", "imports"} & set(given.parts):
            if given.store != "emulator":
                missed += show("local", of_store(Place(folder / "local")))
            if given.store != "local":
                with started(folder / "emulator") as place:
                    missed += show("emulator", of_store(place))
        if {"figures", "publications"} & set(given.parts):
            one, two = apart(write, folder, given.rows)
            missed += show("publications", publications(Place(folder / "local"), one, two))
        if "files" in given.parts:
            missed += show("files", other_files(Place(folder / "files"), apart(write_first, folder, given.rows)))
        if "peers" in given.parts:
            missed += show("peers", peers(folder, given.rows))
        if "growth" in given.parts:
            missed += show("growth", growth(folder, given.largest))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
