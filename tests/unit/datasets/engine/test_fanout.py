"""The range fan-out: any ranges, any order of workers, the result of the sequential reader."""

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataforge.contexts.datasets.engine.fanout import Call, import_ranges
from dataforge.contexts.datasets.engine.fanout_codec import decode_answer, decode_task, encode_answer, encode_task
from dataforge.contexts.datasets.engine.fanout_tasks import RangeAnswer, RangeTask, do_range
from dataforge.contexts.datasets.engine.importing import ImportOutcome, import_file
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import EncodingRefused, TooManyRejectedRows
from dataforge.contexts.datasets.model.imports import ImportOptions
from dataforge.contexts.datasets.parsing.sources import BytesSource, FileSource
from dataforge.kernel.errors import DataForgeError
from tests.builders.tables import rows_of, store

quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


def shuffled(tables: TableStore, source: FileSource) -> Call:
    """Workers that take the ranges in another order and know nothing but bytes; answers in the order of the ranges."""

    def call(task: RangeTask) -> Iterator[RangeAnswer]:
        asked = encode_task(task)
        order = list(range(len(task.parts)))
        random.Random(7).shuffle(order)
        done = {at: encode_answer(do_range(decode_task(asked), at, lambda _key, _name: source, tables)) for at in order}
        for at in range(len(order)):
            answer = decode_answer(done[at])
            assert not isinstance(answer, DataForgeError)
            yield answer

    return call


def by_ranges(
    tables: TableStore,
    data: bytes,
    options: ImportOptions,
    *,
    length: int = 5_000,
    bases: Mapping[str, Manifest] | None = None,
) -> ImportOutcome:
    source = BytesSource(data, "f.csv")
    return import_ranges(tables, source, options, shuffled(tables, source), bases, length=length)


@quick
@given(
    st.integers(1, 400),
    st.integers(40, 3000),
    st.sampled_from(["", 'a "quoted" part', "line\r\nbreak", ",", '"', "plain"]),
    st.sampled_from([None, ("id",)]),
)
def test_ranges_give_what_the_sequential_reader_gives(
    tables: TableStore, count: int, length: int, text: str, key: tuple[str, ...] | None
) -> None:
    cell = '"' + text.replace('"', '""') + '"'
    data = (
        "id,t,v\r\n"
        + "".join(f"{n},{cell if n % 3 else 'x'},{n if n < count - 1 else 'last'}\r\n" for n in range(count))
    ).encode()
    options = ImportOptions(key=key, delimiter=",", quote='"', header=True)

    whole = import_file(tables, BytesSource(data, "f.csv"), options)
    parts = by_ranges(tables, data, options, length=length)

    assert parts.tables["data"].content == whole.tables["data"].content
    assert rows_of(tables, parts.tables["data"]) == rows_of(tables, whole.tables["data"])
    assert parts.report.to_json() == whole.report.to_json()


def both(tables: TableStore, data: bytes, options: ImportOptions) -> tuple[object, object]:
    whole = import_file(tables, BytesSource(data, "f.csv"), options)
    parts = by_ranges(tables, data, options, length=5_000)
    return whole.tables["data"].content, parts.tables["data"].content


def test_many_rows_meet_at_every_seam(tables: TableStore) -> None:
    data = ("id,v\n" + "".join(f"{n},{n * 31 % 97}\n" for n in range(60_000))).encode()

    assert len(set(both(tables, data, ImportOptions()))) == 1
    assert len(set(both(tables, data, ImportOptions(key=("id",))))) == 1


def test_rows_out_of_key_order_are_sorted_sequentially(tables: TableStore) -> None:
    data = ("id,v\n" + "".join(f"{n * 7 % 5003},{n}\n" for n in range(5003))).encode()

    assert len(set(both(tables, data, ImportOptions(key=("id",))))) == 1


def test_a_stray_quote_sends_the_file_to_the_sequential_reader_and_says_so(tables: TableStore) -> None:
    data = ("id,v\n" + "".join(f'{n},{n}" pipe\n' for n in range(2_000))).encode()

    found = by_ranges(tables, data, ImportOptions(delimiter=","), length=5_000)

    assert found.tables["data"].rows == 2_000
    assert any("read sequentially" in note for note in found.report.notes)


def test_rejected_rows_are_numbered_through_all_ranges(tables: TableStore) -> None:
    data = ("id,v\n" + "".join(f"{n},{n}\n" if n % 1000 else f"{n}\n" for n in range(4_000))).encode()
    options = ImportOptions(delimiter=",", max_rejected=10)

    whole = import_file(tables, BytesSource(data, "f.csv"), options)
    parts = by_ranges(tables, data, options, length=3_000)

    assert parts.report.to_json() == whole.report.to_json()
    with pytest.raises(TooManyRejectedRows, match="row 1:"):
        by_ranges(tables, data, ImportOptions(delimiter=","), length=3_000)


def test_a_broken_byte_in_a_late_range_is_named_by_its_row_of_the_file(tables: TableStore) -> None:
    data = b"id,v\n" + b"".join(b"%d,x\n" % n for n in range(1, 3_000)) + b"3000,\xe9\n"

    with pytest.raises(EncodingRefused, match="Row 3000, column 2"):
        by_ranges(tables, data, ImportOptions(encoding="utf-8"), length=4_000)
