"""The range fan-out: any ranges, any order of workers, the result of the sequential reader."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataforge.contexts.datasets.engine.fanout import RangeWriter, import_ranges
from dataforge.contexts.datasets.engine.importing import import_file
from dataforge.contexts.datasets.engine.table_store import TableStore
from dataforge.contexts.datasets.errors import EncodingRefused, TooManyRejectedRows
from dataforge.contexts.datasets.model.imports import ImportOptions
from dataforge.contexts.datasets.parsing.sources import BytesSource
from tests.builders.tables import rows_of, store

quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def tables(tmp_path: Path) -> TableStore:
    return store(tmp_path)


Item = TypeVar("Item")
Answer = TypeVar("Answer")


def shuffled(work: Callable[[Item], Answer], items: Sequence[Item]) -> Iterable[Answer]:
    """Every item by itself, in another order, answers in the order of the items."""
    order = list(range(len(items)))
    random.Random(7).shuffle(order)
    done = {at: work(items[at]) for at in order}
    return [done[at] for at in range(len(items))]


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
    parts = import_ranges(
        tables, BytesSource(data, "f.csv"), options, shuffled, RangeWriter(lambda: tables), length=length
    )

    assert parts.tables["data"].content == whole.tables["data"].content
    assert rows_of(tables, parts.tables["data"]) == rows_of(tables, whole.tables["data"])
    assert parts.report.to_json() == whole.report.to_json()


def both(tables: TableStore, data: bytes, options: ImportOptions) -> tuple[object, object]:
    whole = import_file(tables, BytesSource(data, "f.csv"), options)
    parts = import_ranges(
        tables, BytesSource(data, "f.csv"), options, shuffled, RangeWriter(lambda: tables), length=5_000
    )
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

    found = import_ranges(
        tables,
        BytesSource(data, "f.csv"),
        ImportOptions(delimiter=","),
        shuffled,
        RangeWriter(lambda: tables),
        length=5_000,
    )

    assert found.tables["data"].rows == 2_000
    assert any("read sequentially" in note for note in found.report.notes)


def test_rejected_rows_are_numbered_through_all_ranges(tables: TableStore) -> None:
    data = ("id,v\n" + "".join(f"{n},{n}\n" if n % 1000 else f"{n}\n" for n in range(4_000))).encode()
    options = ImportOptions(delimiter=",", max_rejected=10)

    whole = import_file(tables, BytesSource(data, "f.csv"), options)
    parts = import_ranges(
        tables, BytesSource(data, "f.csv"), options, shuffled, RangeWriter(lambda: tables), length=3_000
    )

    assert parts.report.to_json() == whole.report.to_json()
    with pytest.raises(TooManyRejectedRows, match="row 1:"):
        import_ranges(
            tables,
            BytesSource(data, "f.csv"),
            ImportOptions(delimiter=","),
            shuffled,
            RangeWriter(lambda: tables),
            length=3_000,
        )


def test_a_broken_byte_in_a_late_range_is_named_by_its_row_of_the_file(tables: TableStore) -> None:
    data = b"id,v\n" + b"".join(b"%d,x\n" % n for n in range(1, 3_000)) + b"3000,\xe9\n"

    with pytest.raises(EncodingRefused, match="Row 3000, column 2"):
        import_ranges(
            tables,
            BytesSource(data, "f.csv"),
            ImportOptions(encoding="utf-8"),
            shuffled,
            RangeWriter(lambda: tables),
            length=4_000,
        )
