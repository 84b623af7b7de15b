"""The work for a column does not depend on how many there are: calls are counted, not seconds."""

import io
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.tables import imported, rows_of, store


def names(columns: int) -> list[str]:
    return [f"c{at}" for at in range(columns)]


def as_csv(columns: int) -> bytes:
    cells = ",".join(map(str, range(columns)))
    return f"{','.join(names(columns))}\n{cells}\n{cells}\n".encode()


def as_json_lines(columns: int) -> bytes:
    row = json.dumps({name: at for at, name in enumerate(names(columns))})
    return f"{row}\n{row}\n".encode()


def as_parquet(columns: int) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({name: [at, at] for at, name in enumerate(names(columns))}), out)
    return out.getvalue()


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, of Python and of its libraries, on all threads that begin meanwhile."""
    counts: dict[int, int] = {}

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        if event in {"call", "c_call"}:
            thread = threading.get_ident()
            counts[thread] = counts.get(thread, 0) + 1

    before = sys.getprofile()
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
        threading.setprofile(None)  # type: ignore[arg-type]
    return sum(counts.values())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "made"), [("a.csv", as_csv), ("a.jsonl", as_json_lines), ("a.parquet", as_parquet)])
def test_the_work_for_a_column_does_not_grow_with_their_number(
    tmp_path: Path, name: str, made: Callable[[int], bytes]
) -> None:
    def work(columns: int) -> int:
        tables, data = store(tmp_path / str(columns)), made(columns)
        return calls(lambda: rows_of(tables, imported(tables, data, name=name).tables["data"]))

    work(10)  # what is loaded or remembered once
    few, more, most = (work(columns) for columns in (100, 200, 400))

    assert most - more < 2.2 * (more - few)
