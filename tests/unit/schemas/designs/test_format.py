"""The JSON Schema of targets: what it lets through and what not, and that it knows what the reader knows."""

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dataforge.contexts.schemas.designs.domain.document import InvalidTarget, parse_design
from dataforge.contexts.schemas.designs.domain.format import target_format
from tests.builders.schema_cases import CASES
from tests.builders.schemas import column, table

Document = dict[str, Any]
VALIDATOR = Draft202012Validator(target_format())
DOCUMENTS = [
    (f"{name}: {side}", document)
    for name, case in CASES.items()
    for side, document in (("before", case.before), ("after", case.after))
    if isinstance(document, dict)
]


def definitions() -> dict[str, Document]:
    """Each kind of object by its name, that of the whole target by none."""
    whole = target_format()
    return {"": whole} | {name: item for name, item in whole["$defs"].items() if "properties" in item}


def in_table(member: str) -> Callable[[Document], Document]:
    return lambda thing: {"tables": [table("t", column("a"), **{member: [thing]})]}


PLACES: dict[str, Callable[[Document], Document]] = {
    "": lambda thing: thing,
    "enum": lambda thing: {"enums": [thing]},
    "domain": lambda thing: {"domains": [thing]},
    "composite": lambda thing: {"composites": [thing]},
    "attribute": lambda thing: {"composites": [{"name": "c", "attributes": [thing]}]},
    "range": lambda thing: {"ranges": [thing]},
    "sequence": lambda thing: {"sequences": [thing]},
    "columnReference": lambda thing: {"sequences": [{"name": "s", "ownedBy": thing}]},
    "table": lambda thing: {"tables": [thing]},
    "column": lambda thing: {"tables": [{"name": "t", "columns": [thing]}]},
    "primaryKey": lambda thing: {"tables": [{"name": "t", "columns": [], "primaryKey": thing}]},
    "unique": in_table("uniques"),
    "check": in_table("checks"),
    "exclusion": in_table("exclusions"),
    "index": in_table("indexes"),
    "key": lambda thing: in_table("indexes")({"keys": [thing]}),
    "partitionKey": lambda thing: {"tables": [table("t", partitionBy={"strategy": "range", "keys": [thing]})]},
    "partitionBy": lambda thing: {"tables": [table("t", partitionBy=thing)]},
    "partition": in_table("partitions"),
    "end": lambda thing: {"relationships": [{"fk": thing, "references": thing}]},
    "relationship": lambda thing: {"relationships": [thing]},
    "view": lambda thing: {"views": [thing]},
    "viewColumn": lambda thing: {"views": [{"name": "v", "query": "SELECT 1", "columns": [thing]}]},
    "statistics": lambda thing: {"statistics": [thing], "tables": [table("t", column("a"))]},
    "drop": lambda thing: {"drops": [thing]},
}
NEEDED: dict[str, Document] = {
    "partition": {"name": "p", "bound": "DEFAULT"},
    "view": {"name": "v", "query": "SELECT 1"},
    "statistics": {"table": "t"},
}


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(target_format())


@pytest.mark.parametrize("document", [pytest.param(document, id=name) for name, document in DOCUMENTS])
def test_each_target_of_the_cases_is_valid(document: Document) -> None:
    assert [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("document", "at"),
    [
        ([], "$"),
        ({"version": 2}, "$.version"),
        ({"tabels": []}, "$"),
        ({"tables": {}}, "$.tables"),
        ({"tables": [{}]}, "$.tables[0]"),
        ({"tables": [{"name": ""}]}, "$.tables[0].name"),
        ({"tables": [{"name": "x" * 64}]}, "$.tables[0].name"),
        ({"tables": [{"name": "a\0b"}]}, "$.tables[0].name"),
        ({"tables": [{"name": "t", "columns": [{"name": "a"}]}]}, "$.tables[0].columns[0]"),
        ({"tables": [{"name": "t", "columns": [column("a", nulable=True)]}]}, "$.tables[0].columns[0]"),
        ({"tables": [{"name": "t", "columns": [column("a", nullable="no")]}]}, "$.tables[0].columns[0].nullable"),
        ({"tables": [{"name": "t", "columns": [column("a", default={})]}]}, "$.tables[0].columns[0].default"),
        ({"tables": [{"name": "t", "columns": [column("a", statistics=-1)]}]}, "$.tables[0].columns[0].statistics"),
        (in_table("indexes")({"name": "i"}), "$.tables[0].indexes[0]"),
        (in_table("indexes")({"keys": [{"column": "a", "expr": "a"}]}), "$.tables[0].indexes[0].keys[0]"),
        (in_table("indexes")({"columns": ["a", "a"]}), "$.tables[0].indexes[0].columns"),
        (in_table("checks")({"name": "c"}), "$.tables[0].checks[0]"),
        (in_table("partitions")({"name": "p"}), "$.tables[0].partitions[0]"),
        (
            {"relationships": [{"fk": {"table": "t"}, "references": {"table": "t", "column": "id"}}]},
            "$.relationships[0].fk",
        ),
        ({"enums": [{"name": "e", "values": [1]}]}, "$.enums[0].values[0]"),
        ({"views": [{"name": "v"}]}, "$.views[0]"),
        ({"onDrop": "keep"}, "$.onDrop"),
        ({"drops": [{}]}, "$.drops[0]"),
        ({"statistics": [{"table": "t", "kinds": ["all"]}]}, "$.statistics[0].kinds[0]"),
    ],
)
def test_what_is_wrong_is_found_where_it_is(document: Any, at: str) -> None:
    assert at in [error.json_path for error in VALIDATOR.iter_errors(document)]


def test_each_member_is_one_that_the_reader_knows() -> None:
    unknown = []
    assert set(PLACES) == set(definitions())
    for name, definition in definitions().items():
        for member in definition["properties"]:
            document = PLACES[name](
                {**NEEDED.get(name, {}), **({} if member in NEEDED.get(name, {}) else {member: None})}
            )
            try:
                parse_design(document)
            except InvalidTarget as error:
                unknown += [item.pointer for item in error.violations if item.rule == "unknown_member"]
    assert unknown == []


@pytest.mark.parametrize("name", PLACES)
def test_each_member_that_the_reader_knows_is_in_it(name: str) -> None:
    """The reader names the nearest member that it knows: asked often enough, it names all of them."""
    members = {member for item in definitions().values() for member in item["properties"]}
    guesses = {f"{member[:at]}{letter}{member[at + 1 :]}" for member in members for at in (0, 1) for letter in "ab"}
    known = set(definitions()[name]["properties"])
    named = set()
    for guess in guesses - known:
        try:
            parse_design(PLACES[name]({**NEEDED.get(name, {}), guess: None}))
        except InvalidTarget as error:
            named |= {
                item.message.rpartition('did you mean "')[2].rstrip('"?')
                for item in error.violations
                if item.rule == "unknown_member" and "did you mean" in item.message
            }
    assert named <= known
