"""Answers in a target."""

import pytest

from dataforge.contexts.schemas.designs.domain.answers import Answer, answered

TARGET = {
    "enums": [{"name": "mood", "values": ["glad", {"name": "so/so"}]}],
    "tables": [{"name": "people", "columns": [{"name": "id"}, {"name": "email"}]}],
}


def test_a_column_gets_its_previous_name() -> None:
    answer = Answer("column people.mail", "mail", "/tables/0/columns/1", "column people.email")

    found = answered(TARGET, [answer])

    assert found["tables"][0]["columns"][1] == {"name": "email", "previousName": "mail"}
    assert TARGET["tables"][0]["columns"][1] == {"name": "email"}


@pytest.mark.parametrize(
    ("pointer", "candidate", "values"),
    [
        ("/enums/0/values/0", "value mood.glad", [{"name": "glad", "previousName": "happy"}, {"name": "so/so"}]),
        ("/enums/0", "value mood.glad", [{"name": "glad", "previousName": "happy"}, {"name": "so/so"}]),
        ("/enums/0", "value mood.so/so", ["glad", {"name": "so/so", "previousName": "happy"}]),
        ("/enums/0", "value mood.other", ["glad", {"name": "so/so"}]),
    ],
)
def test_a_value_gets_its_previous_name_whether_it_was_a_text_or_an_object(
    pointer: str, candidate: str, values: list[object]
) -> None:
    found = answered(TARGET, [Answer("value mood.happy", "happy", pointer, candidate)])

    assert found["enums"][0]["values"] == values


def test_what_shall_go_is_listed() -> None:
    found = answered({**TARGET, "drops": [{"object": "table old"}]}, [Answer("column people.mail", "mail")])

    assert found["drops"] == [{"object": "table old"}, {"object": "column people.mail"}]


@pytest.mark.parametrize("pointer", ["/", "/tables/9", "/tables/x/columns/0", "/enums/0/values/²", "/tables", "x"])
def test_an_answer_about_a_place_that_is_not_there_changes_nothing(pointer: str) -> None:
    assert answered(TARGET, [Answer("table a", "a", pointer)]) == TARGET
