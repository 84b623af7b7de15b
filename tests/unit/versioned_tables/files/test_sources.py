"""Sources: any range and any stream of a file, however it is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from versioned_tables.files import sources
from versioned_tables.files.sources import BytesSource, FileSource, ObjectSource, PathSource
from versioned_tables.storage.local_directory import LocalDirectoryStore

CONTENT = bytes(range(250)) * 4


class Requests(LocalDirectoryStore):
    """Notes what was asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[tuple[str, int, int]] = []
        self.closed = 0

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self.asked.append(("range", start, start + length))
        return super().get_range(key, start, length)

    def stream(self, key, start, stop, step):  # type: ignore[no-untyped-def]
        self.asked.append(("stream", start, stop))
        try:
            yield from super().stream(key, start, stop, step)
        finally:
            self.closed += 1


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Requests:
    monkeypatch.setattr(sources, "BLOCK", 40)
    monkeypatch.setattr(sources, "_WINDOW", 160)
    monkeypatch.setattr(sources, "_EARLY", 80)
    found = Requests(tmp_path)
    found.put_if_absent("f", CONTENT)
    return found


def of_path(store: Requests) -> FileSource:
    return PathSource(store._path("f"))


def of_object(store: Requests) -> FileSource:
    return ObjectSource(store, "f", "f.csv")


def of_bytes(store: Requests) -> FileSource:
    return BytesSource(store.get("f"), "f.csv")


@pytest.mark.parametrize("made", [of_path, of_object, of_bytes])
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1100), st.integers(0, 1100), st.sampled_from([1, 7, 20, 40, 64, 999, 5000]))
def test_ranges_and_streams_are_the_bytes_of_the_file(
    store: Requests, made: Callable[[Requests], FileSource], start: int, length: int, step: int
) -> None:
    source = made(store)

    blocks = list(source.stream(start, start + length, step))

    assert source.size == 1000
    assert source.read(start, length) == b"".join(blocks) == CONTENT[start : start + length]
    ends = [start + sum(map(len, blocks[: at + 1])) for at in range(len(blocks))]
    assert all(end % step == 0 for end in ends[:-1])
    assert all(blocks)


def test_the_beginning_is_fetched_once_and_the_rest_in_few_requests(store: Requests) -> None:
    source = of_object(store)

    assert source.read(0, 8) == CONTENT[:8]
    assert source.read(30, 10) == CONTENT[30:40]
    for step in (40, 40, 20):
        assert b"".join(source.stream(0, 1000, step)) == CONTENT

    stops = [160, 320, 480, 640, 800, 960, 1000]
    first, *others = [("stream", start, stop) for start, stop in zip([0, *stops], stops, strict=False)]
    again = [("stream", 40, 160), *others]
    assert store.asked == [first, *others, *again, *again]


@pytest.mark.parametrize(("start", "stop", "step"), [(0, 100, 40), (40, 1000, 20), (80, 1000, 40)])
def test_what_the_first_request_brings_is_not_taken_for_something_else(
    store: Requests, start: int, stop: int, step: int
) -> None:
    source = of_object(store)
    source.read(0, 8)

    assert b"".join(source.stream(start, stop, step)) == CONTENT[start:stop]
    assert b"".join(source.stream(0, 1000, 40)) == CONTENT


def test_a_reader_that_has_seen_enough_asks_no_further(store: Requests) -> None:
    source = of_object(store)
    blocks = source.stream(0, 1000, 40)

    assert [next(blocks) for _ in range(2)] == [CONTENT[:40], CONTENT[40:80]]
    blocks.close()  # type: ignore[attr-defined]

    assert store.asked == [("stream", 0, 160)]
    assert store.closed == 1


@pytest.mark.parametrize(
    "another", [lambda source: source.read(500, 10), lambda source: b"".join(source.stream(0, 90, 20))]
)
def test_a_file_that_is_not_read_on_from_its_start_lets_the_first_request_go(
    store: Requests, another: Callable[[FileSource], bytes]
) -> None:
    source = of_object(store)
    source.read(0, 8)
    assert store.closed == 0

    for _ in range(2):
        another(source)

    assert store.closed >= 1
