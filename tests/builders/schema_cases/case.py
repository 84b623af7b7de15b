"""Changes of schemas, each with rows in it: what is planned, at what risk, and what is left of the rows."""

from dataclasses import dataclass, field
from typing import Any

from dataforge.contexts.schemas.plans.domain.changes import Risk
from tests.builders.schemas import column, table

Document = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """From a start with rows to a target.

    `before` is a document, or SQL that is run in the empty schema (then nothing is known by id); so is `after`, whose
    SQL is run in a schema of its own and described: the plan must lead to what is there. `keeps` is a query and what
    it finds after the plan, `back` the same after the way back. `destroys` names the objects to confirm, `risks` some
    of the others with their highest risk; `refused` is the code of the problem when there must be no plan.
    """

    before: Document | str
    after: Document | str
    operations: set[str]
    rows: str = ""
    keeps: tuple[str, list[tuple[Any, ...]]] | None = None
    destroys: set[str] = field(default_factory=set)
    back: tuple[str, list[tuple[Any, ...]]] | None = None
    risks: dict[str, Risk] = field(default_factory=dict)
    refused: str | None = None


def tables(*found: Document, **more: Any) -> Document:
    return {"tables": list(found), **more}


def people(*columns: Document, **more: Any) -> Document:
    return table("people", *columns, **more)


def named(thing: Document, name: str) -> Document:
    return thing | {"name": name}


def link(source: str, target: str, name: str = "other_id", **more: Any) -> Document:
    return {"fk": {"table": source, "column": name}, "references": {"table": target, "column": "id"}, **more}


A, B = column("a", "TEXT"), column("b", "TEXT")
MOOD = {"id": "e", "name": "mood", "values": ["sad", "ok"]}
ADA = "INSERT INTO people (a) VALUES ('Ada')"
KEPT = ("SELECT a FROM people", [("Ada",)])
OTHER = column("other_id", "BIGINT")
SEEN = {"id": "v", "name": "seen", "query": "SELECT id, a FROM people"}
PARTED = {
    "name": "log",
    "columns": [{"name": "day", "dataType": "DATE"}, {"name": "said", "dataType": "TEXT"}],
    "partitionBy": {"strategy": "range", "columns": ["day"]},
}
YEARS = [
    {"name": f"log_{year}", "bound": f"FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')"}
    for year in (2025, 2026)
]
