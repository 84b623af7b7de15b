"""Pydantic's findings in words for whoever sent the request."""

import datetime as dt
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from dataforge.kernel.validation import and_more, plain_message


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    name: str = ""


def no_zone(_value: str) -> str:
    message = "must be an IANA time zone"
    raise ValueError(message)


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID = uuid.UUID(int=0)
    code: Annotated[str, Field(min_length=1, max_length=5, pattern="^[a-z]*$")] = "a"
    pair: Annotated[list[int], Field(min_length=2, max_length=1000)] = [1, 2]
    count: Annotated[int, Field(ge=0, le=9)] = 0
    share: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.5
    price: decimal.Decimal = decimal.Decimal(1)
    done: bool = False
    day: dt.date = dt.date(2026, 1, 1)
    at: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    clock: dt.time = dt.time(9)
    inner: Inner = Inner()
    inners: list[Inner] = []
    facts: dict[str, int] = {}
    mode: Literal["full", "additive"] = "full"
    colour: Colour = Colour.RED
    zone: Annotated[str, AfterValidator(no_zone)] = "UTC"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("id", "", "must be a UUID"),
        ("id", 7, "must be a UUID"),
        ("code", 7, "must be a string"),
        ("code", "", "must not be empty"),
        ("code", "abcdef", "must have at most 5 characters"),
        ("code", "A", "must match the pattern ^[a-z]*$"),
        ("pair", [1], "must have at least 2 items"),
        ("pair", [1] * 1001, "must have at most 1,000 items"),
        ("pair", "1,2", "must be a list"),
        ("count", "x", "must be a whole number"),
        ("count", 1.5, "must be a whole number"),
        ("count", -1, "must be at least 0"),
        ("count", 10, "must be at most 9"),
        ("share", [], "must be a number"),
        ("share", 0, "must be greater than 0.0"),
        ("share", 1, "must be less than 1.0"),
        ("share", float("nan"), "must be a finite number"),
        ("price", "x", "must be a number"),
        ("done", "perhaps", "must be true or false"),
        ("day", "yesterday", "must be a date such as 2026-09-01"),
        ("day", [], "must be a date such as 2026-09-01"),
        ("at", "yesterday", "must be a date and time such as 2026-09-01T08:00:00Z"),
        ("clock", "noon", "must be a time such as 09:00"),
        ("inner", 1, "must be an object"),
        ("inners", [1], "must be an object"),
        ("facts", [], "must be an object"),
        ("mode", "all", "must be 'full' or 'additive'"),
        ("colour", "green", "must be 'red' or 'blue'"),
        ("zone", "Mars/Base", "must be an IANA time zone"),
        ("nmae", "x", "is not a field that this request has"),
    ],
)
def test_a_finding_is_told_in_plain_words(name: str, value: object, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Everything.model_validate({name: value})

    assert [plain_message(item) for item in refused.value.errors()] == [message]


def test_what_is_left_out_is_required() -> None:
    class Needed(BaseModel):
        name: str

    with pytest.raises(ValidationError) as refused:
        Needed.model_validate({})

    assert plain_message(refused.value.errors()[0]) == "is required"


def test_a_kind_without_words_of_ours_keeps_those_of_pydantic() -> None:
    found: dict[str, Any] = {"type": "recursion_loop", "msg": "Recursion error - cyclic reference detected"}

    assert plain_message(found) == "Recursion error - cyclic reference detected"


def test_a_day_with_a_time_is_refused_in_our_words() -> None:
    with pytest.raises(ValidationError) as refused:
        Everything.model_validate({"day": "2026-09-01T10:00:00"})

    assert plain_message(refused.value.errors()[0]) == "must be a date such as 2026-09-01"


@pytest.mark.parametrize(
    ("places", "text"),
    [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c"), (list("abcde"), "a, b, c and 2 more")],
)
def test_a_long_list_says_how_many_it_leaves_out(places: list[str], text: str) -> None:
    assert and_more(places, 3) == text
