"""Lines of JSON pointers in a text."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.schemas.designs.domain.positions import Lines
from dataforge.contexts.schemas.designs.domain.reading import pointer

TEXT = """{
  "tables": [
    {
      "name": "people",
      "columns": [
        {"name": "id", "dataType": "bigint"},
        {"name": "a/b~c", "dataType":
          "varchr"}
      ]
    }
  ],
  "a/b~c": true
}"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def walked(value: Any, *path: object) -> Iterator[tuple[str, object, Any]]:
    """Pointer, last name and value of everything in a document."""
    yield pointer(*path), path[-1] if path else None, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walked(item, *path, key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walked(item, *path, index)


def test_a_pointer_leads_to_the_line_where_the_member_begins() -> None:
    lines = Lines(TEXT)

    found = {at: lines.line_of(at) for at in ("", "/tables", "/tables/0/columns/1/dataType", "/a~1b~0c")}

    assert found == {"": 1, "/tables": 2, "/tables/0/columns/1/dataType": 7, "/a~1b~0c": 12}
    assert lines.text_of(12) == '"a/b~c": true'


def test_what_is_not_there_is_shown_where_it_is_missing() -> None:
    lines = Lines(TEXT)

    assert lines.line_of("/tables/0/columns/0/nullable") == 6
    assert lines.line_of("/tables/9/name") == 2
    assert lines.line_of("/enums") == 1


@given(VALUES, st.sampled_from([None, 1, 4]), st.booleans())
def test_every_member_of_any_document_is_found(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    lines = Lines(text)

    for at, name, item in walked(value):
        shown = lines.text_of(lines.line_of(at))
        assert shown
        if isinstance(name, str):
            assert json.dumps(name, ensure_ascii=ascii_only) in shown
        elif not isinstance(item, dict | list):
            assert json.dumps(item, ensure_ascii=ascii_only) in shown


@given(st.text(alphabet='{}[]",: \n\\ab01', max_size=40))
def test_a_text_that_is_no_json_is_looked_at_without_an_error(text: str) -> None:
    assert Lines(text).line_of("/a/0") >= 1


def test_a_text_nested_deeper_than_calls_is_looked_at() -> None:
    assert Lines("[" * 100_000 + "\n1" + "]" * 100_000).line_of("/0/0") == 1
