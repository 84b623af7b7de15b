"""What the client library adds to reading a file: `to_pandas()` of 1,000,000 rows of 12 columns beside pandas.

Run as `python -m infra.bench.client`. The whole API answers in this process, its files are in the emulator. Rounds take
turns, and the median of their ratios counts: whoever else uses the machine is in both.
"""

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from infra.bench.datasets.generate import block
from infra.bench.figure import Figure, show
from infra.bench.served import served

ROUNDS = 7


def measure(folder: Path, rows: int) -> list[Figure]:
    """The figures, in a folder for files."""
    import pandas as pd

    with served(folder) as there:
        numbers = there.client.datasets.create("Numbers")
        numbers.commit(block(0, rows, 1), message="all", key=["id"])
        first = _seconds(numbers.to_pandas)
        file = numbers.download(folder / "numbers.parquet")
        pairs = [(_seconds(lambda: pd.read_parquet(file)), _seconds(numbers.to_pandas)) for _ in range(ROUNDS)]
        assert numbers.to_pandas().equals(pd.read_parquet(file))
    return [
        Figure("pandas.read_parquet of the file, s", statistics.median(pair[0] for pair in pairs)),
        Figure("client.datasets[…].to_pandas(), s", statistics.median(pair[1] for pair in pairs)),
        Figure("to_pandas() ÷ pandas.read_parquet", statistics.median(pair[1] / pair[0] for pair in pairs), 2),
        Figure("the first to_pandas(), for which the file is made, s", first),
        Figure("size of the file, MB", file.stat().st_size / 1e6),
    ]


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> int:
    """Print the figures; 1 when a limit was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="dataforge-bench-") as name, warnings.catch_warnings():
        # The launcher lets go of the handle of the server it started and finds it again by its process id.
        warnings.simplefilter("ignore", ResourceWarning)
        return min(show("client", measure(Path(name), rows)), 1)


if __name__ == "__main__":
    sys.exit(main())
