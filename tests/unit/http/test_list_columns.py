"""The columns of a list come from the model of its rows and are the same whatever is in them."""

from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from dataforge.http.list_columns import Columns, CsvRows, columns_of, listed_in

Row = TypeVar("Row")


class Place(BaseModel):
    city: str
    zip_code: str | None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Tree(BaseModel):
    name: str
    branches: "list[Tree]"
    main: "Tree | None"


class PersonOut(BaseModel):
    id: UUID
    home: Place | None
    work: Place
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    tags: list[str]
    facts: dict[str, Any]
    places: list[Place]
    either: Place | str
    named: str = Field(serialization_alias="called")


class Paged(BaseModel, Generic[Row]):
    items: list[Row]
    next_cursor: str | None


class Aliases(BaseModel):
    lesson: UUID
    aliases: Annotated[list[str], CsvRows("alias")]


class Single(BaseModel):
    id: UUID
    tags: list[str]


def columns(model: Any) -> Columns:
    listed = listed_in(model)
    assert listed is not None
    return columns_of(listed)


def test_objects_are_spread_over_dotted_columns() -> None:
    assert columns(Paged[PersonOut]).names == (
        "id",
        "home.city",
        "home.zip_code",
        "work.city",
        "work.zip_code",
        "pet.kind",
        "pet.lives",
        "pet.tricks",
        "tags",
        "facts",
        "places",
        "either",
        "called",
    )


def test_a_row_fills_its_columns_and_leaves_the_others_empty() -> None:
    row = {"home": None, "work": {"city": "Ulm"}, "pet": {"kind": "dog", "tricks": ["sit", "roll"]}, "either": "x"}

    cells = columns(Paged[PersonOut]).cells(row, excel=False)

    assert cells == ["", "", "", "Ulm", "", "dog", "", "sit;roll", "", "", "", "x", ""]


def test_a_tree_is_spread_until_it_repeats() -> None:
    assert columns(list[Tree]).names == ("name", "branches", "main")


def test_a_list_of_texts_has_the_column_that_its_mark_names() -> None:
    listed = listed_in(Aliases)

    assert listed is not None
    assert listed.member == "aliases"
    assert columns(Aliases).names == ("alias",)
    assert columns(Aliases).cells("x", excel=False) == ["x"]


def test_an_answer_that_is_one_thing_is_no_list() -> None:
    assert listed_in(Single) is None
    assert listed_in(dict[str, list[int]]) is None
    assert listed_in(None) is None
