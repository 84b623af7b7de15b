"""One answer to what an e-mail address is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dataforge.contexts.academics.rosters.domain.files import staged_rows
from dataforge.contexts.academics.students.wire import StudentIn
from dataforge.contexts.identity.accounts.wire import Email
from dataforge.contexts.learning.cohort_imports.domain import parse_learners
from dataforge.kernel.email import MAX_EMAIL, NotAnAddress, is_email, normal_email, parse_email
from tests.builders.rosters import simple_csv, source

GOOD = [
    "ada@example.org",
    "Ada.Lovelace+notes@mail.example.co.uk",
    "o'brien@example.org",
    "ada@bücher.example",
    "ada@xn--bcher-kva.example",
    "ada@例え.テスト",
    "ada@пример.example",
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
    "françois@example.org",
    "аda@example.org",
    "ada@gооgle.example",
    "ada@xn--ggle-55da.example",
    "ada@xn--.example",
    "ada@xn--a.example",
    "ada@ex☃mple.org",
    "ada@exampl\u200de.org",
    "ada@example\u3002org",
]
WORDED = [text for text in BAD if text == text.strip() and not re.search(r"[\x00,;\n\"]", text)]


def _almost_addresses() -> st.SearchStrategy[str]:
    letters = st.text(st.characters(categories=["L", "M", "N"]) | st.sampled_from("-.aoе"), min_size=1, max_size=12)
    labels = letters | letters.map(lambda text: f"xn--{text}")
    return st.builds(
        lambda local, parts: f"{local}@{'.'.join(parts)}", letters, st.lists(labels, min_size=1, max_size=4)
    )


@pytest.mark.parametrize("text", GOOD)
def test_an_address_is_one(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize("text", ["", *BAD])
def test_what_is_no_address_is_none(text: str) -> None:
    assert not is_email(text)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Ada@Example.org", "Ada@Example.org"),
        ("ada@Bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("ada@日本ラボlab.example", "ada@xn--lab-4o4bocx436bo4b.example"),
    ],
)
def test_a_domain_is_kept_in_ascii(text: str, stored: str) -> None:
    assert parse_email(text) == stored
    assert parse_email(stored) == stored


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("аda@example.org", "has 'а' at character 1; before the @ only ASCII can be written to"),
        ("françois@example.org", "has 'ç' at character 5; before the @ only ASCII can be written to"),
        ("ada@gооgle.example", "has 'о' (Cyrillic) beside Latin letters in the label 'gооgle' at character 6"),
        ("ada@mail.gοogle.example", "has 'ο' (Greek) beside Latin letters in the label 'gοogle' at character 11"),
        ("ada@xn--ggle-55da.example", "has 'о' (Cyrillic) beside Latin letters in the label 'gооgle' at character 5"),
        ("ada@ex☃mple.org", "has the label 'ex☃mple' at character 5"),
        ("nobody", "must be an e-mail address such as ada@example.org"),
    ],
)
def test_what_looks_like_another_address_is_refused_with_its_place(text: str, wrong: str) -> None:
    with pytest.raises(NotAnAddress) as refused:
        parse_email(text)

    assert str(refused.value).startswith(wrong)


@given(text=st.text(st.characters(codec="utf-8"), max_size=80) | _almost_addresses())
def test_whatever_is_taken_is_ascii_and_stays_as_it_is(text: str) -> None:
    try:
        stored = parse_email(text)
    except NotAnAddress:
        return

    assert stored.isascii()
    assert stored.count("@") == 1
    assert len(stored) <= MAX_EMAIL
    assert parse_email(stored) == stored
    assert normal_email(stored) == normal_email(text)


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
