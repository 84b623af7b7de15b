"""The learner list: `First Name,Last Name,Email,Group,Team`, as spreadsheets export it.

Every line ends up in exactly one place: a learner, or a problem with its line and reason. Nothing gets lost.
"""

import io
import re
from dataclasses import dataclass

from dataforge.kernel.csv_text import CsvTable, NotCsv, read_csv
from dataforge.kernel.email import NotAnAddress, parse_email
from dataforge.kernel.errors import MalformedBody, ValidationFailed, Violation
from dataforge.kernel.texts import Text

MAX_ROWS = 20_000
COLUMNS = ("First Name", "Last Name", "Email", "Group", "Team")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAX_TEXT = 120
_KNOWN = tuple(column.lower() for column in COLUMNS)


@dataclass(frozen=True, slots=True)
class Learner:
    """One usable line; `line` counts from 1, the header included. The e-mail address is in lower case."""

    line: int
    name: str
    email: str
    cohort: str
    group: str
    team: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One line that is not used, and why."""

    line: int
    code: str
    detail: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class LearnerList:
    """What a file says."""

    learners: tuple[Learner, ...]
    problems: tuple[Problem, ...]


def cohort_name(group: str, team: str) -> str:
    """`Group Team`, with X for what is empty."""
    return f"{group.strip() or 'X'} {team.strip() or 'X'}"


def parse_learners(body: bytes) -> LearnerList:
    """Read the file: UTF-8 with or without byte order mark, any line ending, separated by comma, semicolon, tab or bar.

    Raises MalformedBody (not text, not a table) or ValidationFailed (the first line names other columns, no e-mail
    address or no cohort; too many rows).
    """
    try:
        return _read(read_csv(io.BytesIO(body)))
    except NotCsv as error:
        message = Text("The file {reason}", reason=error.reason)
        raise MalformedBody(message, facts={"line": error.line}) from error


def _read(table: CsvTable) -> LearnerList:
    if not table.header:
        message = Text("The file is empty; the first line names the columns: {columns}.", columns=",".join(COLUMNS))
        raise MalformedBody(message)
    places = _places(table.header)
    learners: list[Learner] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, str], int] = {}
    for line, cells in table.records:
        if len(learners) + len(problems) >= MAX_ROWS:
            message = Text("The file has more than {max_rows:,} rows; split it.", max_rows=MAX_ROWS)
            raise ValidationFailed(message, facts={"max_rows": MAX_ROWS})
        found = _learner(line, cells, places, columns=len(table.header))
        if isinstance(found, Learner):
            first = seen.setdefault((found.email, found.cohort.lower()), line)
            if first != line:
                found = Problem(line, "duplicate", Text("Line {first} says the same.", first=first), found.email)
        if isinstance(found, Learner):
            learners.append(found)
        else:
            problems.append(found)
    return LearnerList(tuple(learners), tuple(problems))


def _places(header: tuple[str, ...]) -> dict[str, int]:
    names = [re.sub(r"[\s_-]+", " ", cell).strip().lower() for cell in header]
    problem = _header_problem(header, names)
    if problem is not None:
        message = Text(
            "The first line {problem}. The columns are {columns}; Email and Group or Team are needed.",
            problem=problem,
            columns=", ".join(COLUMNS),
        )
        raise ValidationFailed(message, violations=[Violation("/1", message, "header")])
    return {name: names.index(name) for name in _KNOWN if name in names}


def _header_problem(header: tuple[str, ...], names: list[str]) -> str | None:
    # A column that is not understood is refused: read without it, `name,email,cohort` puts everybody into one cohort.
    unknown = [cell.strip()[:80] for cell, name in zip(header, names, strict=True) if name and name not in _KNOWN]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        return Text("names a column twice: {twice}", twice=", ".join(twice))
    if unknown:
        return Text("names columns that are not known: {unknown}", unknown=", ".join(unknown))
    if "email" not in names:
        return Text("names no column Email")
    return (
        None
        if {"group", "team"} & set(names)
        else Text("names neither Group nor Team, so that the cohort is not known")
    )


def _learner(line: int, cells: list[str], places: dict[str, int], *, columns: int) -> Learner | Problem:
    def cell(name: str) -> str:
        place = places.get(name)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    email = cell("email").lower()
    if len(cells) > columns and any(extra.strip() for extra in cells[columns:]):
        return Problem(
            line,
            "too_many_fields",
            Text("The line has {count} fields, the header {columns}.", count=len(cells), columns=columns),
            email or None,
        )
    if not email:
        return Problem(line, "missing_email", Text("The e-mail address is empty."))
    try:
        email = parse_email(email).lower()
    except NotAnAddress as error:
        return Problem(line, "bad_email", f"{email[:80]!r} {error}.", email[:255])
    first, last, group, team = (cell(name) for name in ("first name", "last name", "group", "team"))
    for name, value in (("First Name", first), ("Last Name", last), ("Group", group), ("Team", team)):
        if len(value) > _MAX_TEXT or _CONTROL.search(value):
            detail = Text(
                "{name} has control characters or more than {max_text} characters.", name=name, max_text=_MAX_TEXT
            )
            return Problem(line, "bad_text", detail, email)
    name = " ".join(part for part in (first, last) if part) or email.partition("@")[0]
    return Learner(line, name, email, cohort_name(group, team), group, team)
