"""One answer to what an e-mail address is."""

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from dataforge.contexts.academics.rosters.domain.files import staged_rows
from dataforge.contexts.academics.students.wire import StudentIn
from dataforge.contexts.identity.accounts.wire import Email
from dataforge.contexts.learning.cohort_imports.domain import parse_learners
from dataforge.kernel.email import is_email
from tests.builders.rosters import simple_csv, source

GOOD = [
    "ada@example.org",
    "Ada.Lovelace+notes@mail.example.co.uk",
    "o'brien@example.org",
    "françois@example.org",
    "root@localhost",
    "a@b-c.d",
    "x" * 64 + "@example.org",
]
BAD = [
    "notmail",
    "@example.org",
    "ada@",
    "ada@@example.org",
    "ada@b@example.org",
    "ada lovelace@example.org",
    "ada@exam ple.org",
    "ada@example..org",
    "ada@.example.org",
    "ada@example.org.",
    "ada@-example.org",
    "ada@example-.org",
    "ada..l@example.org",
    ".ada@example.org",
    "ada.@example.org",
    "Ada <ada@example.org>",
    "ada@example.org,bob@example.org",
    "ada@example.org;",
    "mailto:ada@example.org",
    "ada@exa_mple.org",
    "ada\x00@example.org",
    "ada@example.org\n",
    "x" * 65 + "@example.org",
    "ada@" + "x" * 64 + ".org",
    "ada@" + ".".join(["label"] * 60),
]
WORDED = [text for text in BAD if text == text.strip() and not re.search(r"[\x00,;\n\"]", text)]


@pytest.mark.parametrize("text", GOOD)
def test_an_address_is_one(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize("text", ["", *BAD])
def test_what_is_no_address_is_none(text: str) -> None:
    assert not is_email(text)


def test_a_long_text_is_refused() -> None:
    assert not is_email("a." * 100 + "@")
    assert not is_email("a@" + "a-" * 100)
    assert not is_email("a" * 1_000_000 + "@")


@pytest.mark.parametrize("text", GOOD)
async def test_every_place_takes_an_address(text: str) -> None:
    assert await everywhere(text) == {"sign-up": True, "student": True, "learner list": True, "roster": True}


@pytest.mark.parametrize("text", WORDED)
async def test_no_place_takes_anything_else(text: str) -> None:
    assert await everywhere(text) == {"sign-up": False, "student": False, "learner list": False, "roster": False}


async def everywhere(text: str) -> dict[str, bool]:
    """Which places that are given an e-mail address take this one."""
    learners = parse_learners(f"First Name,Last Name,Email,Group,Team\nAda,L,{text},Blue,East\n".encode())
    file = source(simple_csv({"student_number": "1", "course_code": "CS1", "section_code": "A", "email": text}))
    rows = [row async for row in staged_rows("simple", file.tables())]
    file.close()
    return {
        "sign-up": _takes(TypeAdapter(Email), text),
        "student": _takes(TypeAdapter(StudentIn), {"first_name": "A", "last_name": "L", "number": "1", "email": text}),
        "learner list": not learners.problems,
        "roster": rows[0].conflict is None,
    }


def _takes(adapter: TypeAdapter[object], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True
