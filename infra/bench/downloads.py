"""The first `GET …/data` of 1,000,000 rows of 12 columns as Parquet beside pyarrow, which writes the same rows.

Run as `python -m infra.bench.downloads`. Ours is the HTTP request until its 303 is there: the whole API answers in this
process, the file is made and put into the emulator's bucket. pyarrow has the rows in memory and writes them, compressed
the same, into the same bucket: through its own S3 client, and in memory with one PUT; the faster of the two counts.
Every round has a dataset of its own, so that nothing is known of it; the two take turns at beginning, and the median
of the rounds' ratios counts. The next requests, which must only redirect, and the file's way down are told apart.
"""

import argparse
import io
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from infra.bench.datasets.generate import block
from infra.bench.figure import Figure, show
from infra.bench.served import Served, served
from infra.local.emulator import REGION

ROUNDS, NEXT = 7, 5
BUCKET = "bench"
_FORM = {"compression": "zstd", "compression_level": 1}


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of one round; `file` in bytes."""

    first: float
    following: float
    body: float
    floor: float
    file: int


def measure(folder: Path, rows: int) -> list[Figure]:
    """The figures, in a folder for files."""
    with served(folder) as there:
        there.emulator.client("s3").create_bucket(Bucket=BUCKET)
        # The first round also opens connections and imports what it needs.
        rounds = [_round(there, rows, seed) for seed in range(ROUNDS + 1)][1:]

    def median(of: Callable[[Round], float]) -> float:
        return statistics.median(of(one) for one in rounds)

    return [
        Figure("first GET as Parquet until its 303, s", median(lambda one: one.first)),
        Figure("pyarrow writing the same rows into the same store, s", median(lambda one: one.floor)),
        Figure("first GET ÷ pyarrow", median(lambda one: one.first / one.floor), 1.5),
        Figure("next GET, ms", median(lambda one: one.following) * 1000),
        Figure("next GET ÷ first GET", median(lambda one: one.following / one.first), 0.1),
        Figure("the file from where it redirects to, s", median(lambda one: one.body)),
        Figure("size of the file, MB", median(lambda one: one.file) / 1e6),
    ]


def _round(there: Served, rows: int, seed: int) -> Round:
    table = block(0, rows, seed)
    dataset = there.client.datasets.create(f"Numbers {seed}")
    dataset.commit(table, message="all", key=["id"])
    address = f"/api/datasets/{dataset.info().id}/refs/main/data?format=parquet"
    headers = {"Authorization": f"Bearer {there.token}"}
    with httpx.Client(base_url=there.api.url, headers=headers, timeout=60, trust_env=False) as http:

        def redirected() -> str:
            answer = http.get(address)
            assert answer.status_code == 303, answer.text
            return str(answer.headers["Location"])

        # Whoever else uses the machine is in both, and neither is always the one after the import.
        if seed % 2:
            floor, first = _floor(there, table), _seconds(redirected)
        else:
            first, floor = _seconds(redirected), _floor(there, table)
        following = statistics.median(_seconds(redirected) for _ in range(NEXT))
        location = redirected()
    began = time.perf_counter()
    file = httpx.get(location, timeout=60, trust_env=False).content
    body = time.perf_counter() - began
    # Rows come in the order of the file they were committed from.
    assert pq.read_table(io.BytesIO(file)).equals(table)
    return Round(first, following, body, floor, len(file))


def _floor(there: Served, table: pa.Table) -> float:
    s3 = there.emulator.client("s3")
    store = pyarrow.fs.S3FileSystem(
        access_key="test", secret_key="test", endpoint_override=there.emulator.endpoint_url, region=REGION
    )

    def in_memory() -> None:
        file = io.BytesIO()
        pq.write_table(table, file, **_FORM)
        s3.put_object(Bucket=BUCKET, Key="floor.parquet", Body=file.getvalue())

    def through_its_client() -> None:
        pq.write_table(table, f"{BUCKET}/floor.parquet", filesystem=store, **_FORM)

    return min(_seconds(in_memory), _seconds(through_its_client))


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
        return min(show("downloads", measure(Path(name), rows)), 1)


if __name__ == "__main__":
    sys.exit(main())
