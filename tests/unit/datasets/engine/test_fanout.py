"""The range fan-out: any ranges, any order of workers, the result of the sequential reader."""

import gzip
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataforge.contexts.datasets.engine import fanout
from dataforge.contexts.datasets.engine.fanout import Answers, Call, import_ranges
from dataforge.contexts.datasets.engine.fanout_codec import decode_answer, decode_task, encode_answer, encode_task
from dataforge.contexts.datasets.engine.fanout_tasks import RangeTask, do_range
from dataforge.contexts.datasets.engine.importing import ImportOutcome, import_file
from dataforge.contexts.datasets.engine.manifest import Manifest
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import EncodingRefused, ImportRefused, TooManyRejectedRows
from dataforge.contexts.datasets.model.columns import Column, TableSchema
from dataforge.contexts.datasets.model.imports import ImportOptions, Mode
from dataforge.contexts.datasets.parsing import formats, ranges
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

    def call(task: RangeTask) -> Answers:
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


@pytest.mark.slow
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


CELLS = st.sampled_from(["1", "22", "x", "", '"a,b"', '"line\r\nbreak"', '"say ""hi"""', "0.5", "2024-02-03"])
LINES = st.one_of(
    st.lists(CELLS, min_size=2, max_size=2).map(",".join),
    st.sampled_from(["one", "1,2,3", '1,st"ray', '"open', "", "3,\x00", "4,\udce9"]),
)


def ended(call: Callable[[], ImportOutcome]) -> object:
    """What became of an import: content and report, or the error for people."""
    try:
        outcome = call()
    except ImportRefused as error:
        return type(error), error.detail, error.facts
    notes = [note for note in outcome.report.notes if not note.startswith("The file was read sequentially")]
    return outcome.tables["data"].content, {**outcome.report.to_json(), "notes": notes}


@pytest.mark.slow
# Arrow hands the text of a ragged row to its handler as UTF-8, and says so aloud when it is none; the row is told all
# the same.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(st.tuples(LINES, st.integers(1, 60)), min_size=1, max_size=8),
    st.sampled_from([64, 100, 257]),
    st.integers(1, 4),
    st.sampled_from([0, 3, 1000]),
    st.sampled_from([None, ("k",)]),
)
def test_what_is_wrong_with_a_file_is_told_as_the_sequential_reader_tells_it(
    tables: TableStore,
    monkeypatch: pytest.MonkeyPatch,
    runs: list[tuple[str, int]],
    step: int,
    steps: int,
    most: int,
    key: tuple[str, ...] | None,
) -> None:
    lines = [line for line, count in runs for _ in range(count)]
    data = ("k,v\r\n" + "".join(line + "\r\n" for line in lines)).encode("utf-8", "surrogateescape")
    options = ImportOptions(delimiter=",", quote='"', header=True, encoding="utf-8", max_rejected=most, key=key)
    # Small blocks, so that a small file has many buffers.
    monkeypatch.setattr(formats, "BLOCK", step)
    monkeypatch.setattr(ranges, "STEP", step)

    whole = ended(lambda: import_file(tables, BytesSource(data, "f.csv"), options))
    parts = ended(lambda: by_ranges(tables, data, options, length=step * steps))

    assert parts == whole


@pytest.mark.parametrize("mode", ["replace", "append"])
@pytest.mark.parametrize("key", [None, ("id",)])
def test_a_table_without_rows_keeps_its_column_ids_and_types(
    tables: TableStore, mode: Mode, key: tuple[str, ...] | None
) -> None:
    schema = TableSchema((Column("c1", "id", "int"), Column("c2", "v", "string"), Column("c3", "old", "float")))
    base = {"data": Manifest(replace(schema, key=("c1",) if key else ()))}
    data = ("id,v\n" + "".join(f"{n},{n}\n" for n in range(3_000))).encode()
    options = ImportOptions(mode=mode)

    whole = import_file(tables, BytesSource(data, "f.csv"), options, base)
    parts = by_ranges(tables, data, options, bases=base)

    assert parts.report.to_json() == whole.report.to_json()
    assert parts.tables["data"].content == whole.tables["data"].content
    assert parts.tables["data"].change == whole.tables["data"].change
    assert parts.tables["data"].schema.columns[0].id == "c1"
    assert parts.report.notes == []


@pytest.mark.parametrize(
    ("name", "data", "options", "reason"),
    [
        ("f.csv", b"a,b\n\xe9,1\n", ImportOptions(encoding="latin-1"), "encoding"),
        ("f.csv", b'a,b\n1,"never closed\n' + b"2,3\n" * 20_000, ImportOptions(), "quotes"),
        ("f.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0), ImportOptions(), "not plain delimited text"),
        ("f.jsonl", b'{"a": 1}\n', ImportOptions(), "not plain delimited text"),
        ("f.csv", b"a,b\n1,2\n", ImportOptions(mode="upsert", key=("a",)), "upsert"),
    ],
)
def test_what_ranges_cannot_do_is_done_sequentially_and_said(
    tables: TableStore, name: str, data: bytes, options: ImportOptions, reason: str
) -> None:
    source = BytesSource(data, name)

    whole = ended(lambda: import_file(tables, source, options))
    parts = ended(lambda: import_ranges(tables, source, options, shuffled(tables, source), length=5_000))

    assert parts == whole
    if not isinstance(whole, tuple) or not isinstance(whole[0], type):
        found = import_ranges(tables, source, options, shuffled(tables, source), length=5_000)
        assert any(reason in note for note in found.report.notes)


def test_a_table_with_rows_is_imported_sequentially_and_says_so(tables: TableStore) -> None:
    data = b"a,b\n1,2\n"
    base = import_file(tables, BytesSource(data, "f.csv"), ImportOptions()).tables

    found = by_ranges(tables, data, ImportOptions(), bases=base)

    assert found.report.notes == ["The file was read sequentially: the table has rows already."]


def test_a_file_that_is_a_header_alone_has_no_ranges(tables: TableStore) -> None:
    whole = import_file(tables, BytesSource(b"id,v\n", "f.csv"), ImportOptions(header=True))
    parts = by_ranges(tables, b"id,v\n", ImportOptions(header=True))

    assert parts.tables["data"].content == whole.tables["data"].content
    assert parts.report.to_json() == whole.report.to_json()


def test_a_record_without_end_is_left_to_the_sequential_reader(
    tables: TableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "MOST_RECORD_BYTES", 1_000)
    data = b"id,v\n" + b"1,x\n" * 2_000 + b'2,"' + b"y,\n" * 10_000

    with pytest.raises(ImportRefused) as whole:
        import_file(tables, BytesSource(data, "f.csv"), ImportOptions(delimiter=",", quote='"'))
    with pytest.raises(ImportRefused) as parts:
        by_ranges(tables, data, ImportOptions(delimiter=",", quote='"'))

    assert parts.value.detail == whole.value.detail
