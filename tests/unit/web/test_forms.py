"""What a form was refused for: beside its fields, in the words of the API."""

import pytest
from pydantic import BaseModel, Field, ValidationError

from dataforge.kernel.errors import AlreadyExists, DataForgeError, PreconditionFailed, ValidationFailed, Violation
from dataforge.web.forms import ACCEPTED, refusal_of


class Given(BaseModel):
    name: str = Field(min_length=1)
    size: int = 0


def mistakes(**given: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Given.model_validate(given)
    return caught.value


def test_what_is_wrong_with_a_field_stands_beside_it() -> None:
    refusal = refusal_of(mistakes(name="", size="many"), ("name", "size"))

    assert (refusal.status, refusal.text) == (400, "")
    assert refusal.fields == {"name": "Must not be empty.", "size": "Must be a whole number."}
    assert (refusal.beside("name"), refusal.beside("other")) == ("Must not be empty.", "")


def test_what_is_wrong_with_no_field_of_the_form_stands_above_it() -> None:
    refusal = refusal_of(mistakes(name="", size="many"), ("name",))

    assert (refusal.text, refusal.fields) == ("Size must be a whole number.", {"name": "Must not be empty."})


@pytest.mark.parametrize(
    ("error", "text", "fields"),
    [
        (PreconditionFailed("It has changed."), "It has changed.", {}),
        (AlreadyExists("Taken by Ada.", violations=[Violation("/name", "is taken")]), "", {"name": "Taken by Ada."}),
        (AlreadyExists("Taken.", violations=[Violation("/path", "is taken")]), "Taken.", {}),
        (
            ValidationFailed("Two.", violations=[Violation("/name", "is taken"), Violation("/size", "is too much")]),
            "",
            {"name": "Is taken.", "size": "Is too much."},
        ),
        (ValidationFailed("Both.", violations=[Violation("/name", "x"), Violation("/other", "y")]), "Both.", {}),
    ],
)
def test_a_refusal_of_ours_is_quoted(error: DataForgeError, text: str, fields: dict[str, str]) -> None:
    refusal = refusal_of(error, ("name", "size"))

    assert (refusal.status, refusal.text, refusal.fields) == (error.status, text, fields)


def test_a_form_that_is_shown_for_the_first_time_is_not_refused() -> None:
    assert (ACCEPTED.status, ACCEPTED.text, ACCEPTED.fields) == (200, "", {})
