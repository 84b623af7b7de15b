"""Texts that can be said in another language: English strings that still know their message and values."""

import pickle

import orjson
import pytest

from dataforge.kernel.errors import NotFound, sentence
from dataforge.kernel.texts import Text, joined


def test_a_text_is_its_message_in_english_with_the_values_in_it() -> None:
    text = Text("There is no course {code!r} among {count:,}.", code="CS101", count=12_000)

    assert text == "There is no course 'CS101' among 12,000."
    assert isinstance(text, str)
    assert orjson.dumps({"detail": text}) == b'{"detail":"There is no course \'CS101\' among 12,000."}'


def test_braces_of_a_message_without_values_stay_as_they_are() -> None:
    assert Text('Send {"value": 1}.') == 'Send {"value": 1}.'


def test_braces_in_values_are_no_placeholders() -> None:
    assert Text("There is no {name}.", name="{name.__class__}") == "There is no {name.__class__}."


def test_a_value_that_is_missing_is_an_error_where_the_text_arises() -> None:
    with pytest.raises(KeyError):
        Text("There is no {kind} {name}.", name="x")


@pytest.mark.parametrize(("count", "expected"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_a_counted_text_takes_the_form_of_its_count(count: int, expected: str) -> None:
    assert Text.counted("{count} row", "{count} rows", count=count) == expected


def test_the_text_of_an_exception_can_still_be_translated() -> None:
    error = NotFound(Text("There is no user {user_id}.", user_id=7))

    assert isinstance(str(error), Text)
    assert isinstance(str(ValueError(error.detail)), Text)


def test_a_sentence_made_of_a_text_keeps_it() -> None:
    text = sentence(Text("must be a number"))

    assert text == "must be a number."
    assert isinstance(text, Text)
    assert text.values == {"message": "must be a number"}


def test_a_text_gets_to_another_process_with_what_every_process_knows() -> None:
    text = Text("{what} failed: {error}", what=Text("The import"), error=ValueError("no"))

    copy = pickle.loads(pickle.dumps(text))

    assert copy == "The import failed: no"
    assert copy.message == text.message
    assert isinstance(copy.values["what"], Text)
    assert copy.values["error"] == "no"


def test_texts_are_joined_so_that_each_is_still_one() -> None:
    text = joined([Text("is too long"), "and odd"], "; ")

    assert text == "is too long; and odd"
    assert isinstance(text, Text)
    assert list(text.values.values()) == ["is too long", "and odd"]
