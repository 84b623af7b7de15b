"""The learner list, as spreadsheets write it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataforge.contexts.learning.cohort_imports.domain import MAX_ROWS, cohort_name, parse_learners
from dataforge.kernel.errors import MalformedBody, ValidationFailed

HEADER = "First Name,Last Name,Email,Group,Team"


@pytest.mark.parametrize(
    ("group", "team", "name"),
    [("Blue", "East", "Blue East"), ("", " East ", "X East"), ("Blue", "", "Blue X"), ("", "", "X X")],
)
def test_a_cohort_is_named_by_group_and_team(group: str, team: str, name: str) -> None:
    assert cohort_name(group, team) == name


@pytest.mark.parametrize(
    "body",
    [
        f"{HEADER}\nAna,Roux,Ana@Example.org,Blue,East\n".encode(),
        f"{HEADER}\r\nAna,Roux,Ana@Example.org,Blue,East\r\n".encode(),
        f"\ufeff{HEADER}\nAna,Roux,Ana@Example.org,Blue,East".encode(),
        f"{HEADER}\nAna,Roux,Ana@Example.org,Blue,East\n".replace(",", ";").encode(),
        f"{HEADER}\nAna,Roux,Ana@Example.org,Blue,East\n".replace(",", "\t").encode(),
        b"TEAM, email ,group,LAST_NAME,first name\nEast,Ana@Example.org,Blue,Roux,Ana\n",
        f'{HEADER}\n"Ana","Roux","Ana@Example.org","Blue","East"\n'.encode(),
        f"{HEADER},\nAna,Roux,Ana@Example.org,Blue,East,\n".encode(),
    ],
)
def test_one_learner_however_the_file_is_written(body: bytes) -> None:
    found = parse_learners(body)

    (learner,) = found.learners
    assert (learner.line, learner.name, learner.email, learner.cohort) == (
        2,
        "Ana Roux",
        "ana@example.org",
        "Blue East",
    )
    assert found.problems == ()


def test_a_line_that_names_the_separator_is_no_header_and_is_counted() -> None:
    found = parse_learners(f"\ufeffsep=|\r\n{HEADER}\r\nAna,Roux,a@e.org,Blue,East\r\n".replace(",", "|").encode())

    assert [(learner.line, learner.cohort) for learner in found.learners] == [(3, "Blue East")]


def test_an_accent_of_its_own_makes_no_other_cohort() -> None:
    lines = [f"Ana,Roux,{name}@e.org,{group},X" for name, group in (("a", "Caf\u00e9"), ("b", "Cafe\u0301"))]

    found = parse_learners("\n".join([HEADER, *lines]).encode())

    assert {learner.cohort for learner in found.learners} == {"Caf\u00e9 X"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Ana,Roux,,Blue,East", "missing_email"),
        ("Ana,Roux,nonsense,Blue,East", "bad_email"),
        ("Ana,Roux,a@b..org,Blue,East", "bad_email"),
        ("Ana,Roux,a b@example.org,Blue,East", "bad_email"),
        ("Ana,Roux,a@example.org,Blue,East,more", "too_many_fields"),
        ("A\x00na,Roux,a@example.org,Blue,East", "bad_text"),
        (f"Ana,{'x' * 121},a@example.org,Blue,East", "bad_text"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_its_reason(line: str, code: str) -> None:
    found = parse_learners(f"{HEADER}\n{line}\nBo,Lind,bo@example.org,Blue,East\n".encode())

    assert [(item.line, item.code) for item in found.problems] == [(2, code)]
    assert [learner.line for learner in found.learners] == [3]


def test_the_same_person_in_the_same_cohort_is_a_duplicate_and_in_another_is_not() -> None:
    lines = ["Ana,Roux,a@example.org,Blue,East", "Ana,R.,A@example.org,BLUE,east", "Ana,Roux,a@example.org,Red,East"]

    found = parse_learners("\n".join([HEADER, *lines]).encode())

    assert [learner.line for learner in found.learners] == [2, 4]
    assert [(item.line, item.detail) for item in found.problems] == [(3, "Line 2 says the same.")]


def test_a_quoted_line_break_does_not_shift_the_lines_that_follow() -> None:
    found = parse_learners(f'{HEADER}\n"A\nna",Roux,a@example.org,,\n\nBo,Lind,nonsense,,\n'.encode())

    assert [(item.line, item.code) for item in found.problems] == [(2, "bad_text"), (5, "bad_email")]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", f"{HEADER}\n\xe4".encode("latin-1"), f'{HEADER}\n"open'.encode()])
def test_what_is_no_table_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse_learners(body)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("name,email,cohort", "not known: name, cohort"),
        ("Name;E-Mail;Gruppe", "not known: Name, E-Mail, Gruppe"),
        (f"{HEADER},Note", "not known: Note"),
        ("First Name,Last Name,Group", "no column Email"),
        ("Email,email,Group", "twice: email"),
        ("a@example.org,Blue", "not known: a@example.org, Blue"),
        ("First Name,Last Name,Email", "neither Group nor Team"),
    ],
)
def test_a_header_that_is_not_understood_is_refused_with_the_columns_there_are(header: str, says: str) -> None:
    with pytest.raises(ValidationFailed, match=says) as refused:
        parse_learners(f"{header}\nAna,ana@example.org,Blue\n".encode())

    assert "First Name, Last Name, Email, Group, Team" in refused.value.detail


def test_too_many_rows_are_refused() -> None:
    rows = "".join(f"a{n}@example.org,Blue\n" for n in range(MAX_ROWS + 1))

    with pytest.raises(ValidationFailed, match="split it"):
        parse_learners(f"Email,Group\n{rows}".encode())


@given(st.lists(st.tuples(*[st.text(max_size=12)] * 2, st.sampled_from(["a@e.org", "B@e.org", "", "x"])), max_size=20))
def test_every_line_ends_up_in_exactly_one_place(rows: list[tuple[str, str, str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([("First Name", "Group", "Email"), *rows])

    found = parse_learners(buffer.getvalue().encode("utf-8", "replace"))

    filled = [row for row in rows if any(cell.strip() for cell in row)]
    assert len(found.learners) + len(found.problems) == len(filled)
    lines = [learner.line for learner in found.learners] + [problem.line for problem in found.problems]
    assert len(set(lines)) == len(lines)
