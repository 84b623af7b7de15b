"""How a statement reads in one line."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from dataforge.contexts.lrs.search.summary import StatementLine, line_of

AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
VERB = {"id": "http://adlnet.gov/expapi/verbs/passed", "display": {"de": "bestanden", "en-US": "passed"}}


def line(**members: Any) -> StatementLine:
    statement = {"actor": {"mbox": "mailto:ada@example.org"}, "verb": VERB, "object": {"id": "https://a.example/1"}}
    return line_of(UUID(int=1), AT, json.dumps({**statement, **members}))


@pytest.mark.parametrize(
    ("actor", "who"),
    [
        ({"name": "Ada", "mbox": "mailto:ada@example.org"}, "Ada"),
        ({"mbox": "mailto:ada@example.org"}, "ada@example.org"),
        ({"account": {"homePage": "https://lms.example", "name": "4711"}}, "4711"),
    ],
)
def test_a_person_is_named_as_people_know_them(actor: dict[str, Any], who: str) -> None:
    assert line(actor=actor).who == who


def test_an_account_is_looked_for_with_its_home_page() -> None:
    assert line(actor={"account": {"homePage": "https://lms.example", "name": "4711"}}).actor == (
        "https://lms.example|4711"
    )


def test_texts_are_english_where_there_is_any_and_facts_say_how_it_went() -> None:
    shown = line(result={"success": True, "score": {"scaled": 0.9}}, timestamp="2026-05-04T08:00:00Z")

    assert (shown.verb, shown.what, shown.at) == ("passed", "https://a.example/1", AT.replace(hour=8, minute=0))
    assert shown.facts == (("passed", "good"), ("score 0.9", "info"))


@pytest.mark.parametrize(
    ("target", "what"),
    [
        (
            {"objectType": "StatementRef", "id": "0197f0f0-0000-4000-8000-000000000000"},
            "statement 0197f0f0-0000-4000-8000-000000000000",
        ),
        ({"objectType": "Agent", "account": {"homePage": "https://lms.example", "name": "4711"}}, "4711"),
        ({"id": "https://a.example/1", "definition": {"name": {"en": "First aid"}}}, "First aid"),
        ({"objectType": "SubStatement", "verb": VERB}, "“passed” of somebody"),
    ],
)
def test_what_it_is_about(target: dict[str, Any], what: str) -> None:
    assert line(object=target).what == what
