"""The columns of a simple roster: how they are spelled, what they are for, and a file that has them and no rows."""

import re
from collections.abc import Mapping
from enum import StrEnum

SIMPLE_COLUMNS: Mapping[str, str] = {
    "student_number": "needed: by which a student is known, whatever the capitals",
    "course_code": "needed: the course's code",
    "section_code": "needed: the section's code, in the semester that the plan is for",
    "first_name": "needed for a student who is new; otherwise the name the student has from now on",
    "last_name": "needed for a student who is new; otherwise the name the student has from now on",
    "email": "the student's e-mail address",
    "status": "empty or `active`: the student is in the section; `drop`: the student leaves it",
}
"""The columns of a simple roster, in the order of the template, and what they are for."""
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_SPELLINGS = {column.replace("_", ""): column for column in SIMPLE_COLUMNS}


def known_column(column: str) -> str | None:
    """The column that a header means, None for another one: `Student Number`, `studentNumber` and `student_number`."""
    return _SPELLINGS.get(_BETWEEN_WORDS.sub("", column).lower())


class Separator(StrEnum):
    """What stands between the fields of a line."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"


_SEPARATORS = {Separator.COMMA: ",", Separator.SEMICOLON: ";", Separator.TAB: "\t"}


def simple_template(separator: Separator, *, excel: bool) -> bytes:
    """A simple roster without rows; for Excel it begins with a byte order mark, so that names are saved as UTF-8."""
    line = _SEPARATORS[separator].join(SIMPLE_COLUMNS) + "\r\n"
    return line.encode("utf-8-sig" if excel else "utf-8")
