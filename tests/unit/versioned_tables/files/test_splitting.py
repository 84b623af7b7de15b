"""Exact splitting: parallel is sequential, byte for byte, and every quoted CRLF survives every cut."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from tests.builders.tables import imported, rows_of, store
from versioned_tables.errors import ImportRefused
from versioned_tables.files.csv_block import BlockPlan, StrayQuote, text_columns
from versioned_tables.files.options import ImportOptions
from versioned_tables.files.splitting import Dialect, last_record_end, repair, stray_quote
from versioned_tables.files.text_file import open_text
from versioned_tables.read.rows import read_range

NASTY = st.lists(st.sampled_from(["a", '"', ",", "\r", "\n", "\r\n", " ", "é", "0", ";"]), max_size=6).map("".join)
PLAIN = Dialect()


def written(rows: list[list[str]], quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting).writerows(rows)
    return out.getvalue().encode()


def read_in_blocks(data: bytes, size: int) -> list[list[str | None]]:
    def blocks() -> Iterator[bytes]:
        return (data[at : at + size] for at in range(0, len(data), size))

    file = open_text(blocks, ImportOptions(delimiter=",", quote='"', header=True), name="f.csv")
    plan = BlockPlan(file.dialect, len(file.names), ("string",) * len(file.names))
    found: list[list[str | None]] = []
    for buffer in file.buffers():
        columns, ragged, _ = text_columns(buffer, plan)
        assert not ragged
        found += [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]
    return found


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.tuples(NASTY, NASTY, NASTY), min_size=1, max_size=12), st.integers(1, 40))
def test_any_cut_of_the_bytes_gives_the_same_fields(rows: list[tuple[str, str, str]], size: int) -> None:
    data = written([["x", "y", "z"], *map(list, rows)], csv.QUOTE_ALL)

    assert read_in_blocks(data, size) == [list(row) for row in rows]


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(NASTY, min_size=1, max_size=30), st.integers(1, 20))
def test_broken_quoting_is_read_the_same_however_it_is_cut(pieces: list[str], size: int) -> None:
    data = ("h,i\n" + "\n".join(piece.replace("\r", "") + ",1" for piece in pieces) + "\n").encode()

    def outcome(step: int) -> object:
        try:
            file = open_text(
                lambda: (data[at : at + step] for at in range(0, len(data), step)),
                ImportOptions(delimiter=",", quote='"', header=True),
                name="f",
            )
            plan = BlockPlan(file.dialect, 2, ("string", "string"), most_rejected=100)
            try:
                parts = [text_columns(buffer, plan) for buffer in file.buffers()]
            except StrayQuote:
                parts = [text_columns(buffer, plan) for buffer in file.buffers(careful=True)]
        except ImportRefused as error:
            return type(error)
        return [
            row for columns, _, _ in parts for row in zip(columns[0].to_pylist(), columns[1].to_pylist(), strict=True)
        ]

    assert outcome(size) == outcome(len(data))


def test_a_crlf_inside_quotes_on_every_buffer_boundary() -> None:
    data = b'a,b\r\n1,"x\r\ny"\r\n2,"\r\n"\r\n3,z\r\n'

    found = {tuple(map(tuple, read_in_blocks(data, size))) for size in range(1, len(data) + 1)}

    assert found == {(("1", "x\r\ny"), ("2", "\r\n"), ("3", "z"))}


@pytest.mark.parametrize("text", [b'a,"b\n', b'a,b"c\n', b'"a"b,c\n', b'"a" ,c\n', b' "a",c\n'])
def test_quotes_that_rfc_4180_forbids_are_found(text: bytes) -> None:
    assert stray_quote(text, PLAIN) >= 0


@pytest.mark.parametrize("text", [b'"a",b\n', b'"",""\n', b'"a""b"\n', b'""""\n', b'"a,b\n"\r\n', b"a,b\n", b""])
def test_quotes_that_rfc_4180_allows_pass(text: bytes) -> None:
    assert stray_quote(text, PLAIN) == -1


def test_a_stray_quote_is_kept_as_text_and_reported(tmp_path: Path) -> None:
    tables = store(tmp_path)

    found = imported(tables, 'id,size\n1,5" pipe\n2,"a ""b"" c"\n3,"x"y\n', ImportOptions(delimiter=","))

    assert rows_of(tables, found.tables["data"]) == [
        {"id": 1, "size": '5" pipe'},
        {"id": 2, "size": 'a "b" c'},
        {"id": 3, "size": "xy"},
    ]
    assert found.report.sequential_from is not None
    assert "2 records" in found.report.tables[0].notes[-1]


def test_a_record_end_is_never_inside_quotes() -> None:
    assert last_record_end(b'a\n"b\nc', PLAIN, final=False) == 2
    assert last_record_end(b'"b\nc', PLAIN, final=False) == 0
    assert last_record_end(b'"b\nc"\nd', PLAIN, final=False) == 6


def test_a_carriage_return_at_the_end_of_a_buffer_may_be_half_a_crlf() -> None:
    assert last_record_end(b"a\rb\r", Dialect(newline="\r"), final=False) == 2


def test_repair_gives_bytes_that_rfc_4180_allows() -> None:
    fixed, consumed, changed = repair(b'a,b"c\n"d,e\nf",g\n', PLAIN, final=True)

    assert fixed == b'a,"b""c"\n"d,e\nf",g\n'
    assert (consumed, changed) == (16, 1)


def test_several_blocks_parsed_at_once_come_out_in_file_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("versioned_tables.imports.formats.BLOCK", 1 << 12)
    tables = store(tmp_path)
    lines = [f'{n},"text {n}, with a\r\nbreak"' for n in range(5_000)]

    manifest = imported(tables, "n,t\n" + "\r\n".join(lines)).tables["data"]

    assert manifest.rows == 5_000
    assert read_range(tables, manifest, 0, 5_000).column(0).to_pylist() == list(range(5_000))


@settings(max_examples=examples(300), deadline=None)
@given(
    st.lists(st.sampled_from(['"', '"', "a", ",", "\n", "\r", "\\", "a" * 61]), min_size=1, max_size=80).map("".join),
    st.sampled_from(["", "\\"]),
)
def test_the_first_stray_quote_is_the_one_a_reader_of_single_bytes_finds(text: str, escape: str) -> None:
    borders, inside, escaped, quotes, wrong = ',"\r\n', False, False, [], []
    for at, char in enumerate(text):
        counts = char == '"' and not escaped
        escaped = bool(escape) and char == escape and not escaped
        if not counts:
            continue
        inside = not inside
        quotes.append(at)
        beside = text[at - 1 : at] if inside else text[at + 1 : at + 2]
        if beside and beside not in borders:
            wrong.append(at)
    if inside:
        wrong.append(quotes[-1])

    found = stray_quote(text.encode(), Dialect(escape=escape))

    assert found == min(wrong, default=-1)
