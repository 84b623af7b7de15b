"""Cells of CSV files: what programs read back is what was written, and spreadsheets run nothing."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.kernel.csv_cells import write_cell, write_lines

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (0.1, "0.1"),
        ("Ada", "Ada"),
        (date(2026, 9, 1), "2026-09-01"),
        (datetime(2026, 9, 1, 9, tzinfo=timezone(timedelta(hours=2))), "2026-09-01T07:00:00Z"),
        (datetime(2026, 9, 1, 9, tzinfo=UTC), "2026-09-01T09:00:00Z"),
        ([], ""),
        (["a", "b"], "a;b"),
        (["a;b", 'c"d', None, 3], '"a;b";"c""d";;3'),
        ({"a": [1, "ü"]}, '{"a":[1,"ü"]}'),
        ([{"a": 1}, {"a": 2}], '[{"a":1},{"a":2}]'),
    ],
)
def test_a_value_is_written_as_documented(value: object, text: str) -> None:
    assert write_cell(value) == text


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_a_formula_is_made_harmless_for_spreadsheets_only(sign: str) -> None:
    formula = f"{sign}1+1"

    assert write_cell(formula) == formula
    assert write_cell(formula, excel=True) == f"'{formula}"
    assert write_cell([formula], excel=True) in (f"'{formula}", f'"{formula}"')


def test_numbers_stay_numbers_for_spreadsheets() -> None:
    assert write_cell(-5, excel=True) == "-5"
    assert write_cell(-0.5, excel=True) == "-0.5"


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=5))
def test_lines_are_read_back_as_they_were(lines: list[list[str]]) -> None:
    written = write_lines(lines)

    assert list(csv.reader(io.StringIO(written.decode(), newline=""))) == lines


@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_a_list_of_texts_is_one_line_with_semicolons(values: list[str]) -> None:
    line = io.StringIO(write_cell(values), newline="")

    assert next(csv.reader(line, delimiter=";")) == values


@given(TEXTS)
def test_no_text_for_a_spreadsheet_begins_like_a_formula(value: str) -> None:
    assert not write_cell(value, excel=True).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.dictionaries(TEXTS, st.none() | st.integers() | TEXTS, min_size=1))
def test_an_object_is_read_back_from_json(value: dict[str, object]) -> None:
    assert json.loads(write_cell(value)) == value
