"""In which language an answer is: by the profile, else by Accept-Language; the codes stay as they are."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from dataforge.http.languages import LOCALE, accepted_language, failure_in_words_of, language_of
from dataforge.http.problems import problem_response
from dataforge.kernel.errors import NotFound, Violation
from dataforge.kernel.texts import Text

OFFERED = ("en", "de")


def scope(accept_language: str | None = None, locale: str | None = None) -> Scope:
    headers = [] if accept_language is None else [(b"accept-language", accept_language.encode("latin-1"))]
    return {
        "type": "http", "method": "GET", "path": "/api/courses/x", "root_path": "", "scheme": "http",
        "server": ("localhost", 80), "query_string": b"", "headers": headers, LOCALE: locale,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"), ("de-AT", "de"), ("DE", "de"), ("de_CH", "de"), ("fr, de;q=0.5", "de"), ("en, de", "en"),
        ("de;q=0.2, en;q=0.9", "en"), ("en;q=0.5, de", "de"), ("fr", None), ("", None),
        ("*", "en"), ("fr, *;q=0.1", "en"),
        ("de;q=0", None), ("de;q=x", None), ("de;q=7", None), (";;,,;q=", None),
    ],
)  # fmt: skip
def test_the_header_weighs_the_languages(header: str, language: str | None) -> None:
    assert accepted_language(header, OFFERED) == language


@given(st.text(alphabet="deqn-;=,*0.159 ", max_size=80))
def test_no_header_stops_an_answer(header: str) -> None:
    assert accepted_language(header, OFFERED) in {"en", "de", None}


@pytest.mark.parametrize(
    ("header", "locale", "language"),
    [
        ("de", None, "de"), ("de", "", "de"), ("de", "en", "de"), ("en", "de-AT", "de"), (None, "de", "de"),
        ("de", "en-GB", "en"), ("de", "fr", "en"), (None, None, "en"), ("fr", None, "en"),
    ],
)  # fmt: skip
def test_a_profile_that_has_chosen_decides_before_the_header(
    header: str | None, locale: str | None, language: str
) -> None:
    assert language_of(scope(header, locale)) == language


def test_a_problem_is_in_german_and_its_codes_are_not() -> None:
    violation = Violation("/name", Text("must not be empty"), "string_too_short")
    facts = {"missing": [Text("is required"), "name"]}
    error = NotFound(Text("There is no user {user_id}.", user_id=7), violations=[violation], facts=facts)

    response = problem_response(error, scope("de-DE, en;q=0.5"))

    document = orjson.loads(response.body)
    assert document["title"] == "Nicht gefunden"
    assert document["detail"] == "Eine Person 7 gibt es nicht."
    assert document["errors"] == [{"pointer": "/name", "detail": "darf nicht leer sein", "rule": "string_too_short"}]
    assert document["missing"] == ["ist erforderlich", "name"]
    assert (document["code"], document["status"]) == ("not_found", 404)
    assert response.headers["content-language"] == "de"
    assert response.headers["vary"] == "Accept-Language"


def test_a_problem_without_a_wish_is_in_english() -> None:
    response = problem_response(NotFound(Text("There is no user {user_id}.", user_id=7)), scope())

    assert orjson.loads(response.body)["detail"] == "There is no user 7."
    assert response.headers["content-language"] == "en"


def test_the_stored_failure_of_a_job_is_said_in_german_and_its_codes_are_not() -> None:
    place = {"pointer": "/a", "detail": "must be a number", "rule": "type"}
    stored = {
        "code": "job_cancelled",
        "detail": "The job was cancelled; nothing was changed.",
        "errors": [place],
        "n": 3,
    }

    said = failure_in_words_of(scope("de"), stored)

    assert said == {
        "code": "job_cancelled",
        "detail": "Der Job wurde abgebrochen; nichts wurde geändert.",
        "errors": [{**place, "detail": "muss eine Zahl sein"}],
        "n": 3,
    }
    assert failure_in_words_of(scope("en"), stored) == stored
    assert failure_in_words_of(scope("de"), None) is None
