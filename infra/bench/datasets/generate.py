"""The table every figure is stated on: 1,000,000 rows of 12 columns, 153 MB of CSV, and a scattered second version.

`v2` differs from `v1` by 1,000 modified, 500 inserted and 500 deleted rows per million, spread evenly at random,
because corrections of real tables are scattered and not clustered.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

BLOCK = 100_000
FIRST = ["Ada", "Björn", "Chiara", "Dmitri", "Edsger", "Fatima", "Grace", "Hedy", "Ivan", "José", "Katherine", "Linus"]
LAST = [
    "Lovelace",
    "Müller",
    "Rossi",
    "Ivanova",
    "Dijkstra",
    "Al-Fihri",
    "Hopper",
    "Lamarr",
    "Petrov",
    "García",
    "Johnson",
]
CITIES = ["Berlin", "São Paulo", "New York", "Kraków", "Nairobi", "東京", "Reykjavík", "Buenos Aires", "Toronto"]
STATES = ["enrolled", "completed", "dropped", "waitlisted", "failed"]
WORDS = [
    "the",
    "learner",
    "asked",
    "for",
    "a",
    "later",
    "section",
    "because",
    "of",
    "work",
    "and",
    "the",
    "registrar",
    "agreed",
    "after",
    "two",
    "reminders",
]
COLUMNS = [
    "id",
    "email",
    "first_name",
    "last_name",
    "city",
    "status",
    "score",
    "attempts",
    "amount",
    "born_on",
    "updated_at",
    "note",
]


def block(start: int, rows: int, seed: int) -> pa.Table:
    """Rows `start .. start + rows` of the table; the same for every length of the whole."""
    rng = np.random.default_rng((seed, start))
    ids = np.arange(start, start + rows, dtype=np.int64) * 3 + 1_000_000

    def pick(values: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(
            rng.integers(0, len(values), rows, dtype=np.int32), pa.array(values)
        ).cast(pa.string())

    notes = pc.binary_join_element_wise(*(pick(WORDS) for _ in range(5)), " ")
    hexes = pa.array(np.char.mod("%08x", rng.integers(0, 2**32, rows)))
    seconds = rng.integers(1_500_000_000, 1_760_000_000, rows).astype("datetime64[s]")
    return pa.table(
        [
            pa.array(ids),
            pc.binary_join_element_wise(hexes, pa.array(["@example.org"] * rows), ""),
            pick(FIRST),
            pick(LAST),
            pick(CITIES),
            pick(STATES),
            pa.array(np.round(rng.random(rows) * 100, 2), mask=rng.random(rows) < 0.05),
            pa.array(rng.integers(0, 30, rows)),
            pa.array(np.round(rng.gamma(2.0, 4000.0, rows), 2)),
            pa.array((seconds - np.timedelta64(20 * 365, "D")).astype("datetime64[D]")),
            pa.array(np.datetime_as_string(seconds)),
            notes,
        ],
        names=COLUMNS,
    )


def changed(
    table: pa.Table,
    rng: np.random.Generator,
    *,
    modified: float = 0.001,
    inserted: float = 0.0005,
    deleted: float = 0.0005,
) -> pa.Table:
    """The second version of a block: scattered edits, key order kept."""
    n = table.num_rows
    picks = rng.permutation(n)
    n_mod, n_ins, n_del = round(n * modified), round(n * inserted), round(n * deleted)
    mod, ins, gone = picks[:n_mod], picks[n_mod : n_mod + n_ins], picks[n_mod + n_ins : n_mod + n_ins + n_del]
    status = np.asarray(table["status"].to_pylist(), dtype=object)
    status[mod] = "corrected"
    amount = table["amount"].to_numpy().copy()
    amount[mod] += 1
    v2 = table.set_column(5, "status", pa.array(status, pa.string())).set_column(
        8, "amount", pa.array(np.round(amount, 2))
    )
    new = table.take(pa.array(ins))
    new = new.set_column(0, "id", pc.add(new["id"], 1))
    keep = np.ones(n, dtype=bool)
    keep[gone] = False
    v2 = pa.concat_tables([v2.filter(pa.array(keep)), new]).combine_chunks()
    return v2.take(pc.sort_indices(v2, [("id", "ascending")]))


def write(folder: Path, rows: int, *, seed: int = 4) -> tuple[Path, Path]:
    """`v1-<rows>.csv` and `v2-<rows>.csv` in the folder; kept when they are already there."""
    rng = np.random.default_rng(seed + 1)
    one = _written(folder / f"v1-{rows}.csv", rows, lambda start, size: block(start, size, seed))
    two = _written(folder / f"v2-{rows}.csv", rows, lambda start, size: changed(block(start, size, seed), rng))
    return one, two


def write_first(folder: Path, rows: int, *, seed: int = 4) -> Path:
    """`v1-<rows>.csv` alone."""
    return _written(folder / f"v1-{rows}.csv", rows, lambda start, size: block(start, size, seed))


def _written(path: Path, rows: int, make: Callable[[int, int], pa.Table]) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        with temporary.open("wb") as out:
            for start in range(0, rows, BLOCK):
                table = make(start, min(BLOCK, rows - start))
                csv.write_csv(table, out, csv.WriteOptions(include_header=start == 0, quoting_style="needed"))
        temporary.rename(path)
    return path


def main() -> None:
    """Write the two versions of a table of the asked length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    for path in write(arguments.folder, arguments.rows):
        print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
