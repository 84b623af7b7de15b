"""What an import may be asked for."""

from typing import Any

import pytest
from pydantic import ValidationError

from dataforge.contexts.datasets.imports.wire import ImportIn


@pytest.mark.parametrize("options", [{"delimiter": mark} for mark in ",;\t| \x01\x1f"] + [{"quote": "'"}])
def test_marks_are_any_that_part_fields(options: dict[str, str]) -> None:
    assert ImportIn(**options).model_dump(exclude_defaults=True) == options  # type: ignore[arg-type]  # texts only


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(({"delimiter": mark}, "must be an ASCII character that is no letter") for mark in "é\n\r\0a1"),
        *(({"quote": mark}, "must be an ASCII character that is no letter") for mark in "é\nx"),
        ({"delimiter": "ab"}, "at most 1 character"),
        ({"delimiter": '"'}, "delimiter and quote must differ"),
        ({"delimiter": ";", "quote": ";"}, "delimiter and quote must differ"),
    ],
)
def test_marks_that_no_reader_takes_are_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ImportIn(**options)
