"""A body as people read it, with what is wrong at its place."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.lrs.quarantine.domain import Mark, marked_lines

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def at(pointer: str, message: str = "wrong") -> dict[str, object]:
    return {"pointer": pointer, "message": message}


def test_a_violation_stands_at_the_line_of_its_place() -> None:
    body = [{"actor": {"mbox": "nobody"}, "verb": {"id": "x"}}]

    lines = marked_lines(body, [at("/0/actor/mbox", "must begin with mailto:")])

    assert [(line.text.strip(), line.messages) for line in lines if line.messages] == [
        ('"mbox": "nobody"', [Mark(1, "must begin with mailto:")])
    ]


def test_what_is_missing_stands_at_what_lacks_it() -> None:
    lines = marked_lines({"actor": {}, "a/b": 1}, [at("/verb"), at("/actor/mbox"), at("/a~1b")])

    assert [(line.text.strip(), len(line.messages)) for line in lines if line.messages] == [
        ("{", 1),
        ('"actor": {},', 1),
        ('"a/b": 1', 1),
    ]


@given(body=JSON)
def test_the_lines_are_the_body(body: Any) -> None:
    text = "\n".join(line.text for line in marked_lines(body, []))

    assert json.loads(text) == body


@given(body=JSON, pointer=st.text("/ab01~", max_size=8))
def test_no_violation_gets_lost(body: Any, pointer: str) -> None:
    assert sum(len(line.messages) for line in marked_lines(body, [at(pointer), at("")])) == 2
