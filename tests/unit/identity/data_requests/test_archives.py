"""The zip of an export: what it is, and how little memory it takes."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Iterable

from dataforge.contexts.identity.data_requests.archives import Archive


class Discarding(io.RawIOBase):
    """Takes bytes, and cannot go back, as an upload cannot."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        length = len(memoryview(data))  # type: ignore[arg-type]  # bytes of one kind or another
        self.size += length
        return length


async def rows(texts: Iterable[str]) -> AsyncIterator[str]:
    for text in texts:
        yield text


async def test_rows_become_arrays_and_lines_and_nothing_becomes_no_file() -> None:
    sink = io.BytesIO()
    archive = Archive(sink)

    for name, given in (("a/one.json", ['{"a": 1}', '{"a": 2}']), ("a/two.jsonl", ["{}", "{}"]), ("a/none.json", [])):
        counts = [count async for count in archive.add_rows(name, rows(given))]
        assert counts[-1] == len(given)
    await archive.close({"person": "Ada"})

    with zipfile.ZipFile(sink) as found:
        assert found.namelist() == ["a/one.json", "a/two.jsonl", "index.json"]
        assert json.loads(found.read("a/one.json")) == [{"a": 1}, {"a": 2}]
        assert found.read("a/two.jsonl") == b"{}\n{}\n"
        index = json.loads(found.read("index.json"))
    assert index == {"person": "Ada", "files": [{"name": "a/one.json", "rows": 2}, {"name": "a/two.jsonl", "rows": 2}]}


async def test_memory_does_not_depend_on_how_much_is_held() -> None:
    sink = Discarding()
    archive = Archive(sink)  # type: ignore[arg-type]  # a raw file is enough
    number = 60_000
    tracemalloc.start()

    async for _ in archive.add_rows(
        "statements.jsonl", rows(f'{{"n": {n}, "text": "{"x" * 1000}"}}' for n in range(number))
    ):
        pass
    await archive.close({})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert archive.files == [{"name": "statements.jsonl", "rows": number}]  # 60 MB
    assert peak < 8 << 20
