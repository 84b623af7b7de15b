"""What FastAPI finds wrong with a request, as our problem."""

import pytest
from fastapi.exceptions import RequestValidationError

from dataforge.http.problems import MAX_ERRORS, from_validation


def missing(*place: str | int) -> dict[str, object]:
    return {"type": "missing", "loc": place, "msg": "Field required"}


@pytest.mark.parametrize(
    ("place", "pointer", "detail"),
    [
        (("body", "name"), "/name", "/name: is required."),
        (("body", "a/b~c", 0), "/a~1b~0c/0", "/a~1b~0c/0: is required."),
        (("body",), "", "The request body: is required."),
        (("query", "mode"), "query:mode", "query:mode: is required."),
    ],
)
def test_one_finding_is_told_where_it_is(place: tuple[str | int, ...], pointer: str, detail: str) -> None:
    problem = from_validation(RequestValidationError([missing(*place)]))

    assert [item.pointer for item in problem.violations] == [pointer]
    assert problem.detail == detail


def test_several_findings_are_named_and_the_others_counted() -> None:
    few = from_validation(RequestValidationError([missing("body", name) for name in "ab"]))
    many = from_validation(RequestValidationError([missing("body", name) for name in "abcdefg"]))

    assert few.detail == "Correct what `errors` lists and send the request again: /a and /b."
    assert many.detail == "Correct what `errors` lists and send the request again: /a, /b, /c, /d, /e and 2 more."


def test_no_more_findings_are_listed_than_an_answer_should_hold() -> None:
    problem = from_validation(RequestValidationError([missing("body", number) for number in range(MAX_ERRORS + 5)]))

    assert len(problem.violations) == MAX_ERRORS
    assert problem.facts == {"errors_omitted": 5}
