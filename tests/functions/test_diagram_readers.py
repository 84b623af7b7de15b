"""What we write in Mermaid and DBML is read by their own parsers, whatever names there are."""

from typing import Any

import pytest

from dataforge.contexts.schemas.designs.domain.dbml import write_dbml
from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.marks import Mark, State
from dataforge.contexts.schemas.designs.domain.mermaid import write_mermaid
from dataforge.contexts.schemas.designs.domain.model import Column, EnumType, Schema, Table
from dataforge.contexts.schemas.plans.domain.comparison import compare_schemas
from tests.builders.diagram_readers import read_diagrams
from tests.builders.schema_cases import CASES
from tests.builders.schemas import column, table

ODD = [
    *("select", "order", "user", "table", "enum", "ref", "note", "indexes", "PK", "fk", "UK-x", "direction LR", "to"),
    *("one", "many", "class", "style", "end", "u", "1", "1a", "_", "$x", "Weiß", "名前", "مدرسة", "a b", "a.b", "a,b"),
    *('a"b', "a'b", "a`b", "a\\b", "a%b", "%%{init}", "a~b~c", "a#quot;b", "{x}", "[x]", "(x)", "a:b", "a;b", "a//b"),
    *(
        "/* x",
        "--",
        "||--o{",
        "erDiagram",
        "accTitle: x",
        "title",
        "subgraph",
        "classDef",
        "\u202eabc",
        "a\nz",
        "é" * 31,
    ),
    *(
        "True",
        "null",
        "Project",
        "TableGroup",
        "checks",
        "*",
        "🎓",
        " lead",
        "trail ",
        "a\tb",
        "'''",
        "grin 🎓",
        "-1.5",
    ),
]


def of(document: dict[str, Any]) -> Schema:
    return parse_design(document).schema


def on_one_line(name: str) -> str:
    """A name as DBML can have it."""
    return " ".join(name.split("\n"))


def test_every_target_of_the_cases_is_read_as_it_was_written() -> None:
    documents = [document for case in CASES.values() for document in (case.before, case.after)]
    schemas = [of(document) for document in documents if isinstance(document, dict)]

    answers = read_diagrams(
        [text for schema in schemas for text in (("mermaid", write_mermaid(schema)), ("dbml", write_dbml(schema)))]
    )

    assert len(schemas) > 50
    assert [answer for answer in answers if "error" in answer] == []
    for schema, in_mermaid, in_dbml in zip(schemas, answers[::2], answers[1::2], strict=True):
        columns = {on_one_line(name): [*map(on_one_line, item.columns)] for name, item in schema.tables.items()}
        assert columns == in_dbml["tables"]
        keys = sum(item.kind == "f" for part in schema.tables.values() for item in part.constraints.values())
        assert in_dbml["references"] == keys
        assert in_mermaid["references"] >= keys
        values = {on_one_line(name): [*map(on_one_line, item.values)] for name, item in schema.enums.items()}
        assert values == in_dbml["enums"]
        assert len(in_mermaid["tables"]) == len(schema.tables) + len(schema.views)


@pytest.mark.parametrize("state", [None, State.ADDED, State.CHANGED, State.DROPPED])
def test_whatever_names_are_both_texts_are_read(state: State | None) -> None:
    columns = {name: Column(name=name, type="text", comment=name, default=f"'{name}'") for name in ODD}
    schema = Schema(
        tables={name: Table(name=name, columns=columns, comment=name) for name in ODD},
        enums={"e": EnumType(name="e", values=tuple(ODD))},
    )
    marks = {}
    if state is not None:
        marks = {("table", name): Mark(state, f"was called {name}") for name in ODD}
        marks |= {("column", name, name): Mark(state, f"was called {name}") for name in ODD}

    in_mermaid, in_dbml = read_diagrams(
        [("mermaid", write_mermaid(schema, marks)), ("dbml", write_dbml(schema, marks))]
    )

    assert len(in_mermaid.get("tables", in_mermaid)) == len(ODD)
    assert {len(attributes) for attributes in in_mermaid["tables"].values()} == {len(ODD)}
    written = [on_one_line(name) for name in ODD]
    assert sorted(in_dbml.get("tables", in_dbml)) == sorted(written)
    assert in_dbml["tables"]["select"] == written
    assert in_dbml["enums"] == {"e": written}


def test_a_difference_is_read_too() -> None:
    before = of({"tables": [table("people", column("a"), column("b")), table("old")]})
    after = of({"tables": [table("people", column("a", "TEXT"), column("c"))]})
    found = compare_schemas(before, after)

    answers = read_diagrams(
        [
            ("mermaid", write_mermaid(found.schema, found.marks)),
            ("dbml", write_dbml(found.schema, found.marks)),
        ]
    )

    assert [answer["tables"] for answer in answers] == [{"people": ["id", "a", "b", "c"], "old": ["id"]}] * 2
