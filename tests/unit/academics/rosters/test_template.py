"""The columns of a simple roster: in every spelling, in a template, and in the documentation."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.academics.rosters.domain.files import RosterUnreadable, simple_columns
from dataforge.contexts.academics.rosters.domain.template import (
    SIMPLE_COLUMNS,
    Separator,
    known_column,
    simple_template,
)
from dataforge.kernel.csv_text import read_csv
from infra.local.layout import ROOT


@pytest.mark.parametrize(
    "spelled", ["student_number", "Student Number", "studentNumber", " STUDENT-NUMBER ", "Student\u00a0number"]
)
def test_a_column_is_known_in_each_spelling(spelled: str) -> None:
    assert known_column(spelled) == "student_number"


@given(st.sampled_from(list(SIMPLE_COLUMNS)), st.sampled_from(["_", " ", "-", "", "  "]), st.booleans())
def test_words_of_a_column_are_joined_by_anything(column: str, joint: str, capitals: bool) -> None:
    spelled = joint.join(word.capitalize() if capitals else word for word in column.split("_"))

    assert known_column(spelled) == column


@pytest.mark.parametrize("other", ["", "number", "student", "student_number_2", "studentnumber2"])
def test_another_column_is_not_known(other: str) -> None:
    assert known_column(other) is None


def test_one_column_in_two_spellings_is_refused_with_both() -> None:
    header = ["Student Number", "course_code", "section_code", "studentNumber"]

    with pytest.raises(RosterUnreadable, match="both 'Student Number' and 'studentNumber'"):
        simple_columns("roster.csv", header)


@pytest.mark.parametrize("separator", list(Separator))
@pytest.mark.parametrize("excel", [False, True])
def test_the_template_is_read_back_as_it_is(separator: Separator, excel: bool) -> None:
    content = simple_template(separator, excel=excel)

    table = read_csv(io.BytesIO(content))

    assert table.header == tuple(SIMPLE_COLUMNS) == tuple(simple_columns("roster.csv", table.header))
    assert list(table.records) == []
    assert content.startswith(b"\xef\xbb\xbf") == excel


def test_the_documentation_names_every_column_with_what_it_is_for() -> None:
    page = (ROOT / "docs/roster-csv.md").read_text()

    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)) == SIMPLE_COLUMNS
    assert f"\n{','.join(SIMPLE_COLUMNS)}\n" in page
