"""What a target leaves open: whether something has got another name or goes."""

from typing import Any

import pytest

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.plans.domain.questions import (
    PossibleRename,
    RenameQuestion,
    check_questions,
    find_questions,
)
from dataforge.contexts.schemas.plans.domain.renames import find_renames
from tests.builders.schemas import column, table

Document = dict[str, Any]


def plain(name: str, kind: str = "TEXT", **more: Any) -> Document:
    return {"name": name, "dataType": kind, **more}


def people(*columns: Document, **more: Any) -> Document:
    return {"tables": [{"name": "people", "columns": [plain("id", "BIGINT"), *columns]}], **more}


def asked(before: Document, after: Document) -> list[RenameQuestion]:
    start, end = parse_design(before), parse_design(after)
    return list(find_questions(start.schema, end, start.named, find_renames(start.schema, end.named, start.named)))


MAIL, EMAIL = plain("mail"), plain("email")


def test_a_column_that_goes_beside_one_that_comes_is_asked_about() -> None:
    [question] = asked(people(MAIL), people(EMAIL))

    assert question.out() == {
        "object": "column people.mail",
        "previousName": "mail",
        "candidates": [{"object": "column people.email", "pointer": "/tables/0/columns/1"}],
        "message": question.message,
    }


@pytest.mark.parametrize(
    "after",
    [
        people(EMAIL | {"previousName": "mail"}),
        people(EMAIL, drops=[{"object": "column people.mail"}]),
        people(EMAIL, drops=[{"object": "column people.mail", "onDrop": "drop"}]),
        people(plain("age", "INTEGER")),
        people(plain("email", generated={"expr": "'x'"})),
        people(),
        people(MAIL, EMAIL),
    ],
)
def test_an_answer_in_the_target_or_another_kind_is_not_asked_about(after: Document) -> None:
    assert asked(people(MAIL), after) == []


def test_a_new_id_beside_a_known_one_is_an_answer_and_beside_none_is_not() -> None:
    assert asked(people(MAIL | {"id": "1"}), people(EMAIL | {"id": "2"})) == []
    assert asked(people(MAIL | {"id": "1"}), people(EMAIL | {"id": "1"})) == []
    assert len(asked(people(MAIL), people(EMAIL | {"id": "2"}))) == 1
    assert len(asked(people(MAIL | {"id": "1"}), people(EMAIL))) == 1


def test_another_length_or_a_similar_name_is_of_like_kind() -> None:
    assert len(asked(people(plain("a", "VARCHAR(10)")), people(plain("z", "VARCHAR(20)")))) == 1
    assert len(asked(people(plain("created", "TIMESTAMP")), people(plain("created_at", "TIMESTAMPTZ")))) == 1
    assert asked(people(plain("age", "INTEGER")), people(plain("name", "TEXT"))) == []


def test_all_that_may_be_meant_is_named() -> None:
    [question] = asked(people(MAIL), people(EMAIL, plain("post")))

    assert [item.object for item in question.candidates] == ["column people.email", "column people.post"]


def test_columns_of_a_renamed_table_are_asked_about_under_its_new_name() -> None:
    before = {"tables": [{"id": "t", "name": "people", "columns": [MAIL]}]}
    after = {"tables": [{"id": "t", "name": "persons", "columns": [EMAIL]}]}

    [question] = asked(before, after)

    assert question.object == "column persons.mail"
    assert asked(before, after | {"drops": [{"object": "column people.mail"}]}) == []
    assert asked(before, after | {"drops": [{"object": "column persons.mail"}]}) == []


def test_tables_with_much_in_common_are_asked_about() -> None:
    before = {"tables": [{"name": "people", "columns": [plain("id", "INT"), MAIL, plain("age", "INT")]}]}
    alike = {"tables": [{"name": "persons", "columns": [plain("id", "INT"), MAIL, plain("size", "INT")]}]}
    strange = {"tables": [{"name": "orders", "columns": [plain("id", "INT"), plain("price", "NUMERIC")]}]}

    assert [item.object for item in asked(before, alike)] == ["table people"]
    assert asked(before, strange) == []


def test_values_of_enums_are_asked_about_unless_they_are_mapped() -> None:
    before = {"enums": [{"name": "mood", "values": ["sad", "ok"]}]}
    after = {"name": "mood", "values": ["sad", "fine"]}

    [question] = asked(before, {"enums": [after]})

    assert (question.object, question.candidates[0].pointer) == ("value mood.ok", "/enums/0/values/1")
    assert asked(before, {"enums": [after | {"valueMap": {"ok": "sad"}}]}) == []
    assert asked(before, {"enums": [after | {"values": ["sad", {"name": "fine", "previousName": "ok"}]}]}) == []
    assert asked(before, {"enums": [after], "drops": [{"object": "value mood.ok"}]}) == []


def test_enums_domains_and_sequences_are_asked_about() -> None:
    before = {
        "enums": [{"name": "mood", "values": ["sad", "ok"]}],
        "domains": [{"name": "code", "dataType": "TEXT"}],
        "sequences": [{"name": "numbers"}],
    }
    after = {
        "enums": [{"name": "feeling", "values": ["sad", "ok", "great"]}],
        "domains": [{"name": "label", "dataType": "TEXT"}],
        "sequences": [{"name": "counter"}],
    }

    assert [item.object for item in asked(before, after)] == ["enum mood", "domain code", "sequence numbers"]


def test_a_name_that_is_used_again_is_not_asked_about() -> None:
    before = people(column("a", "TEXT"), column("b", "TEXT"))
    after = people(column("a", "TEXT") | {"name": "b"}, column("new", "TEXT") | {"name": "a"})

    assert asked(before, after) == []


def test_a_refusal_says_how_many_there_are() -> None:
    start = parse_design({"tables": [table("people", plain("a"), plain("b"))]})
    end = parse_design({"tables": [table("people", plain("c"), plain("d"))]})

    with pytest.raises(PossibleRename, match="1 more") as refusal:
        check_questions(start.schema, end, start.named, find_renames(start.schema, end.named, start.named))

    assert len(refusal.value.facts["questions"]) == 2  # type: ignore[arg-type]  # a list


@pytest.mark.parametrize(
    ("drops", "pointer"),
    [
        ([{"object": "mail"}], "/drops/0/object"),
        ([{"object": "column people.mail", "onDrop": "burn"}], "/drops/0/onDrop"),
        ([{"object": "column people.mail", "way": "drop"}], "/drops/0/way"),
        ("all", "/drops"),
    ],
)
def test_drops_are_read_strictly(drops: Any, pointer: str) -> None:
    with pytest.raises(Exception, match=pointer) as refusal:
        parse_design({"drops": drops})

    assert [item.pointer for item in refusal.value.violations] == [pointer]  # type: ignore[attr-defined]  # InvalidTarget
