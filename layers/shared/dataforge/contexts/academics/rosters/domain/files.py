"""Roster files in one shape: OneRoster 1.2 CSV (six files) and a simple CSV with one enrolment a line.

OneRoster: 1EdTech OneRoster 1.2 CSV binding. `status` is empty or active for what is there and tobedeleted for what is
to go; extension columns are called `metadata.…`, of which capacity, waitlistCapacity and credits are understood.
Column names are taken whatever their capitals.
Simple: student_number, course_code, section_code; first_name, last_name, email for students who may be new; status
(empty, active, drop).

A line that cannot be used still says whom and what it is about, as far as that can be read: a plan must not take
those for absent.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from dataforge.contexts.academics.rosters.domain.rows import RowKind, StagedRow
from dataforge.contexts.academics.rosters.domain.template import known_column
from dataforge.kernel.email import NotAnAddress, parse_email
from dataforge.kernel.errors import BadRequest
from dataforge.kernel.texts import Text

Fields = Mapping[str, str]
MAX_ROWS = 500_000
WAITS = "ext:waitlisted"


class RosterUnreadable(BadRequest):
    """The file is not a roster of the format it was said to be."""

    code = "roster_unreadable"
    title = "The roster cannot be read"


@dataclass(frozen=True, slots=True)
class RosterTable:
    """One CSV file, or one sheet: its header, and its lines with their numbers (the header is line 1)."""

    name: str
    header: tuple[str, ...]
    lines: AsyncIterator[tuple[int, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class _File:
    kind: RowKind
    required: tuple[str, ...]
    convert: Callable[[Fields], dict[str, object]]
    # The part of `convert` that says whom and what the line is about; what is unknown is left out.
    about: Callable[[Fields], dict[str, object]]


class _Bad(ValueError):
    pass


def _needed(row: Fields, name: str) -> str:
    value = row.get(name, "")
    if not value:
        message = Text("{name} is empty", name=name)
        raise _Bad(message)
    return value


def _day(row: Fields, name: str) -> str:
    try:
        return date.fromisoformat(_needed(row, name)).isoformat()
    except ValueError as error:
        message = Text("{name} must be a date such as 2026-09-01", name=name)
        raise _Bad(message) from error


def _whole(row: Fields, name: str) -> int | None:
    value = row.get(name, "")
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 6:
        message = Text("{name} must be a whole number from 0 to 999999", name=name)
        raise _Bad(message)
    return int(value)


def _credits(row: Fields, name: str) -> str | None:
    value = row.get(name, "")
    if not value:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or not 0 <= number < 1000:
        message = Text("{name} must be a number from 0 to 999", name=name)
        raise _Bad(message)
    if number != round(number, 2):
        message = Text("{name} must have at most two decimals", name=name)
        raise _Bad(message)
    return str(number)


def _short(row: Fields, name: str, most: int) -> str:
    return _optional(row, name, most) or _needed(row, name)


def _optional(row: Fields, name: str, most: int = 255) -> str:
    value = row.get(name, "")
    if len(value) > most:
        message = Text("{name} is longer than {most} characters", name=name, most=most)
        raise _Bad(message)
    return value


def _email(row: Fields) -> str:
    value = row.get("email", "")
    if not value:
        return value
    try:
        return parse_email(value)
    except NotAnAddress as error:
        message = Text("email {value!r} {error}", value=value[:80], error=error)
        raise _Bad(message) from error


def shortened(text: str, most: int) -> str:
    """The text in at most so many characters: one that is longer ends in a hash, so that two never become one."""
    if len(text) <= most:
        return text
    return f"{text[: most - 11]}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _org(row: Fields) -> dict[str, object]:
    code = row.get("identifier") or row["sourcedId"]
    return {"code": shortened(code, 32), "name": _short(row, "name", 255), "type": row.get("type", "")}


def _session(row: Fields) -> dict[str, object]:
    return {
        "code": _short(row, "title", 255),
        "starts_on": _day(row, "startDate"),
        "ends_on": _day(row, "endDate"),
        "type": row.get("type", ""),
    }


def _course(row: Fields) -> dict[str, object]:
    return {
        "code": _short(row, "courseCode", 32),
        "title": _short(row, "title", 255),
        "org": row.get("orgSourcedId", ""),
        "credits": _credits(row, "metadata.credits"),
    }


def _class(row: Fields) -> dict[str, object]:
    terms = [item.strip() for item in _needed(row, "termSourcedIds").split(",") if item.strip()]
    return {
        "code": shortened(row.get("classCode") or row["sourcedId"], 32),
        "title": row.get("title", ""),
        "course": _needed(row, "courseSourcedId"),
        "terms": terms,
        "capacity": _whole(row, "metadata.capacity"),
        "waitlist_capacity": _whole(row, "metadata.waitlistCapacity"),
    }


def _user(row: Fields) -> dict[str, object]:
    return {
        **_about_user(row),
        "first_name": _short(row, "givenName", 255),
        "last_name": _short(row, "familyName", 255),
        "email": _email(row),
    }


def _about_user(row: Fields) -> dict[str, object]:
    """The number is the file's own (`numbered`), or made of the sourcedId because a student needs one."""
    number = row.get("identifier") or row.get("username")
    return {"number": shortened(number or row["sourcedId"], 64), "numbered": bool(number)}


def _role(row: Fields) -> str:
    value = _student_if_waiting(_needed(row, "role").lower())
    if not _is_role(value):
        message = Text("role {value!r} is no role of OneRoster", value=value[:80])
        raise _Bad(message)
    return value


def _student_if_waiting(role: str) -> str:
    # So that other systems do not enroll those who wait, our exports do not call them students.
    return "student" if role == WAITS else role


def _is_role(value: str) -> bool:
    return value in _ROLES or value.startswith("ext:")


def _enrollment(row: Fields) -> dict[str, object]:
    return {
        "class": _needed(row, "classSourcedId"),
        "user": _needed(row, "userSourcedId"),
        "role": _role(row),
        "primary": row.get("primary", "").lower(),
    }


def _about_enrollment(row: Fields) -> dict[str, object]:
    # A role that is misspelt may have been meant for a student.
    role = _student_if_waiting(row.get("role", "").lower())
    names = {"class": row.get("classSourcedId"), "user": row.get("userSourcedId"), "role": role}
    return {name: value for name, value in names.items() if value and (name != "role" or _is_role(role))}


def _simple(row: Fields) -> dict[str, object]:
    number = _short(row, "student_number", 64)
    return {
        "role": "student",
        "number": number,
        "user": _simple_user(number),
        "first_name": _optional(row, "first_name"),
        "last_name": _optional(row, "last_name"),
        "email": _email(row),
        "course_code": _short(row, "course_code", 32),
        "section_code": _short(row, "section_code", 32),
    }


def _simple_user(number: str) -> str:
    """What rows of one student have in common: capitals tell no two students apart."""
    return f"number:{number.lower()}"


def _about_simple(row: Fields) -> dict[str, object]:
    about: dict[str, object] = {"role": "student"}
    if number := row.get("student_number"):
        about |= {"number": number, "user": _simple_user(number)}
    if row.get("course_code") and row.get("section_code"):
        about |= {"course_code": row["course_code"], "section_code": row["section_code"]}
    return about


def _about_code(row: Fields) -> dict[str, object]:
    code = row.get("courseCode") or row.get("classCode") or row.get("title")
    return {"code": code} if code else {}


_ONEROSTER = {
    "orgs": _File(RowKind.ORG, ("sourcedId", "name", "type"), _org, _about_code),
    "academicsessions": _File(
        RowKind.SESSION, ("sourcedId", "title", "type", "startDate", "endDate"), _session, _about_code
    ),
    "courses": _File(RowKind.COURSE, ("sourcedId", "title", "courseCode", "orgSourcedId"), _course, _about_code),
    "classes": _File(RowKind.CLASS, ("sourcedId", "title", "courseSourcedId", "termSourcedIds"), _class, _about_code),
    "users": _File(RowKind.USER, ("sourcedId", "givenName", "familyName"), _user, _about_user),
    "enrollments": _File(
        RowKind.ENROLLMENT, ("sourcedId", "classSourcedId", "userSourcedId", "role"), _enrollment, _about_enrollment
    ),
}
_SIMPLE = _File(RowKind.ENROLLMENT, ("student_number", "course_code", "section_code"), _simple, _about_simple)
# What is read beyond the required columns.
_OPTIONAL = (
    "status", "identifier", "username", "email", "primary", "classCode", "metadata.credits", "metadata.capacity",
    "metadata.waitlistCapacity",
)  # fmt: skip
_COLUMNS = {column.lower(): column for file in _ONEROSTER.values() for column in (*file.required, *_OPTIONAL)}
# Roles of enrolments and users in OneRoster 1.1 and 1.2; `ext:` begins one that is a school's own.
_ROLES = frozenset({
    "administrator", "aide", "counselor", "districtadministrator", "guardian", "parent", "principal", "proctor",
    "relative", "siteadministrator", "student", "systemadministrator", "teacher",
})  # fmt: skip
_GONE = {"tobedeleted", "drop"}
_THERE = {"", "active"}
_STATUSES = _THERE | _GONE


def simple_columns(name: str, header: Sequence[str]) -> dict[str, str]:
    """The columns of a simple roster and what a table calls them: `student_number`, `Student Number`, `studentNumber`.

    Columns a roster does not know are passed over. Raises RosterUnreadable for one that is missing or there twice.
    """
    columns: dict[str, str] = {}
    for column in header:
        known = known_column(column)
        if known is None:
            continue
        if known in columns:
            message = Text(
                "{name} has both {columns!r} and {column!r}; a roster needs one column {known}.",
                name=name,
                columns=columns[known],
                column=column,
                known=known,
            )
            raise RosterUnreadable(message, facts={"file": name, "columns": [columns[known], column]})
        columns[known] = column
    missing = [column for column in _SIMPLE.required if column not in columns]
    if missing:
        raise _lacking(name, missing, _SIMPLE)
    return columns


def _lacking(name: str, missing: Sequence[str], file: _File) -> RosterUnreadable:
    message = Text(
        "{value} lacks the column {missing}; it needs {required}.",
        value=name or "The file",
        missing=missing[0],
        required=", ".join(file.required),
    )
    return RosterUnreadable(message, facts={"file": name, "missing": list(missing)})


def _file_of(fmt: str, name: str) -> _File | None:
    if fmt == "simple":
        return _SIMPLE
    stem = name.rsplit("/", 1)[-1].removesuffix(".csv").lower()
    return _ONEROSTER.get(stem)


async def staged_rows(fmt: str, tables: AsyncIterator[RosterTable]) -> AsyncIterator[StagedRow]:
    """The rows of all files in one shape; a line that cannot be read is staged as a conflict that says why.

    Raises RosterUnreadable for a missing file or column, and for more than 500,000 rows. Other OneRoster files
    (manifest, roles, demographics, …) are passed over.
    """
    row_no = 0
    seen: set[str] = set()
    async for table in tables:
        file = _file_of(fmt, table.name)
        if file is None:
            continue
        if file.kind in seen:
            message = Text("{name} is there twice.", name=table.name)
            raise RosterUnreadable(message)
        seen.add(file.kind)
        header = _header(table, file)
        async for line, values in table.lines:
            row_no += 1
            if row_no > MAX_ROWS:
                message = Text("A roster has at most {max_rows:,} rows; split it by department.", max_rows=MAX_ROWS)
                raise RosterUnreadable(message)
            yield _staged(row_no, RosterLine(table.name, line, header, values), file)
    expected = {_SIMPLE.kind} if fmt == "simple" else {item.kind for item in _ONEROSTER.values()} - {RowKind.ORG}
    if expected - seen:
        message = Text("The roster lacks the files for {expected}.", expected=", ".join(sorted(expected - seen)))
        raise RosterUnreadable(message, facts={"missing_kinds": sorted(expected - seen)})


def _header(table: RosterTable, file: _File) -> tuple[str, ...]:
    """The columns under the names a roster has for them; raises RosterUnreadable when one is missing or there twice."""
    if file is _SIMPLE:
        known = {column: name for name, column in simple_columns(table.name, table.header).items()}
        return tuple(known.get(column, "") for column in table.header)
    header = tuple(_COLUMNS.get(column.lower(), column) for column in table.header)
    missing = [column for column in file.required if column not in header]
    if missing:
        raise _lacking(table.name, missing, file)
    doubled = {column for column in header if column and header.count(column) > 1}
    if doubled:
        message = Text(
            "{name} names the column {doubled} twice, in different capitals.", name=table.name, doubled=min(doubled)
        )
        raise RosterUnreadable(message, facts={"file": table.name})
    return header


@dataclass(slots=True)
class RosterLine:
    """One line of a file with its header. One is made for every line, so it is not frozen: that takes three times as
    long."""

    file: str
    line: int
    header: tuple[str, ...]
    values: Sequence[str]


def _staged(row_no: int, given: RosterLine, file: _File) -> StagedRow:
    values, wanted = given.values, len(given.header)
    if len(values) != wanted and (len(values) < wanted or "".join(values[wanted:]).strip()):
        return _broken(
            row_no,
            given,
            file,
            Text("the line has {count} fields, the header {wanted}", count=len(values), wanted=wanted),
        )
    whole = "".join(values)
    if "\0" in whole:
        return _broken(row_no, given, file, Text("a field contains a NUL character"))
    row = {name: value.strip() for name, value in zip(given.header, values, strict=False) if name}
    sourced_id = row.get("sourcedId")
    if file is not _SIMPLE and (not sourced_id or len(sourced_id) > 255):
        about = file.about(row) if file.kind is RowKind.ENROLLMENT else {}
        return _broken(row_no, given, file, Text("sourcedId is empty or longer than 255 characters"), about)
    status = row.get("status", "").lower()
    try:
        if status not in _STATUSES:
            message = Text(
                "status {status!r} is neither active nor {removed}",
                status=status[:80],
                removed="drop" if file is _SIMPLE else "tobedeleted",
            )
            raise _Bad(message)
        data = file.convert(row)
    except _Bad as error:
        return _broken(row_no, given, file, str(error), file.about(row), sourced_id)
    return StagedRow(row_no, given.file, given.line, file.kind, data, sourced_id, status in _GONE)


def _broken(
    row_no: int,
    given: RosterLine,
    file: _File,
    reason: str,
    about: Mapping[str, object] | None = None,
    sourced_id: str | None = None,
) -> StagedRow:
    conflict = {"rule": "unreadable", "message": Text("Line {line}: {reason}.", line=given.line, reason=reason)}
    return StagedRow(row_no, given.file, given.line, file.kind, about or {}, sourced_id, conflict=conflict)
