"""Lines of an import: found whatever pieces they come in, and read into the statements that they are."""

import gzip
import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.lrs.imports import lines as module
from dataforge.contexts.lrs.imports.domain import BadLine, ImportedStatement, ImportUnreadable, Line, read_line
from dataforge.contexts.lrs.imports.lines import read_lines
from tests.builders.statements import full_statement, statement

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STORED = "2021-02-03T04:05:06.123456Z"


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@given(
    st.lists(st.binary(max_size=12).map(lambda item: item.replace(b"\n", b"")), max_size=8),
    st.lists(st.integers(0, 400), max_size=6),
    st.sampled_from(["plain", "gzip", "members"]),
)
def test_lines_are_the_same_whatever_pieces_they_come_in(lines: list[bytes], cuts: list[int], packed: str) -> None:
    data = b"\n".join(lines)
    if packed == "plain" and data.startswith(b"\x1f\x8b"):
        return
    if packed == "gzip":
        data = gzip.compress(data)
    if packed == "members":
        data = gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :])

    found = list(read_lines(pieces(data, cuts)))

    expected = [Line(number, item.strip()) for number, item in enumerate(lines, 1) if item.strip()]
    assert found == expected


def test_a_line_that_is_too_long_is_one_bad_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 10)

    found = list(read_lines([b"short\n" + b"x" * 25, b"x" * 30 + b"\nafter\n"]))

    assert [(line.number, len(line.raw) > 10) for line in found] == [(1, False), (2, True), (3, False)]


@pytest.mark.parametrize("data", [gzip.compress(b"{}\n" * 50)[:-4], b"\x1f\x8bnothing of gzip"], ids=["short", "none"])
def test_broken_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(ImportUnreadable):
        list(read_lines([data]))


def read(value: Any) -> ImportedStatement | BadLine:
    return read_line(Line(7, value if isinstance(value, bytes) else json.dumps(value).encode()), NOW)


def _listed(value: Any) -> list[Any]:
    """As a store answers it (Data 2.4.6.2)."""
    return value if isinstance(value, list) else [value]


def test_what_a_statement_says_of_itself_stays() -> None:
    authority = {"objectType": "Agent", "mbox": "mailto:lms@example.org"}
    said = {"stored": STORED, "timestamp": "2021-02-03T05:05:06+01:00", "version": "1.0.1"}
    given = full_statement(authority=authority, **said)
    related = given["context"]["contextActivities"]
    given["context"]["contextActivities"] = {name: _listed(item) for name, item in related.items()}

    found = read(given)

    assert isinstance(found, ImportedStatement)
    assert found.statement.payload == given
    assert str(found.statement.id) == given["id"]


def test_what_it_does_not_say_is_made_and_is_the_same_again() -> None:
    found, again = read(statement(timestamp=STORED)), read(statement(timestamp=STORED))

    assert isinstance(found, ImportedStatement)
    assert found == again
    assert found.statement.payload["stored"] == found.statement.payload["timestamp"] == STORED
    assert found.statement.id.version == 4
    assert read(statement(timestamp="2021-02-03T04:05:06.123457Z")) != found
    to_come = read(statement(timestamp="2026-07-01T00:00:00Z"))
    assert isinstance(to_come, ImportedStatement)
    assert to_come.stored_at == NOW


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (b"{", None),
        (b'{"a":1,"a":2}', "/a"),
        (b"[]", None),
        (statement(actor=None), ""),
        (statement(verb={"id": "no iri"}), "/verb/id"),
        (statement(stored="yesterday"), "/stored"),
        (statement(stored="2026-06-02T00:00:00Z"), "/stored"),
        (statement(stored=STORED, id="17"), "/id"),
    ],
)
def test_a_line_that_is_no_statement_says_where(value: Any, pointer: str | None) -> None:
    found = read(value)

    assert isinstance(found, BadLine)
    assert found.line.number == 7
    assert pointer is None or (found.pointer or "").startswith(pointer)


def test_statements_of_both_lines_of_the_standard_are_taken() -> None:
    second = statement(context={"contextAgents": [{"objectType": "contextAgent", "agent": {"mbox": "mailto:a@e.org"}}]})

    assert isinstance(read({**second, "stored": STORED, "version": "2.0.0"}), ImportedStatement)
    assert isinstance(read(statement(stored=STORED, timestamp="2020-10-24T00:00Z")), ImportedStatement)
