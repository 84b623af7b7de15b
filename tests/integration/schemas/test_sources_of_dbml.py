"""DBML in: a text becomes a target that PostgreSQL takes, and every mistake is reported at its place in the text."""

import contextlib

import pytest

from dataforge.contexts.schemas.designs.domain.dbml import beyond_dbml, write_dbml
from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.plans.planning import compile_target
from dataforge.contexts.schemas.sources.converting import Converted, run_document
from dataforge.contexts.schemas.sources.domain.dbml import read_dbml
from dataforge.contexts.schemas.sources.domain.source import InvalidSource
from dataforge.kernel.errors import DataForgeError
from tests.builders.planned import Planned
from tests.builders.schema_cases import CASES
from tests.builders.schema_sources import SHOP


async def convert(planned: Planned, text: str) -> Converted:
    found = await run_document(planned.connection, read_dbml(text), "ws_0000000000000000")
    await planned.connection.rollback()
    return found


async def test_a_text_becomes_a_target(planned: Planned) -> None:
    text = SHOP.replace("Ref: orders.buyer > P.id [delete: set null]", "")

    converted = await convert(planned, text)

    tables = {item["name"]: item for item in converted.target["tables"]}
    columns = {item["name"]: item for item in tables["people"]["columns"]}
    assert columns["feels"]["dataType"] == "mood"
    assert columns["full name"]["comment"] == "as in the 'pass'"
    assert columns["tags"]["dataType"] == "text[]"
    assert tables["orders"]["primaryKey"]["columns"] == ["shop", "number"]
    assert {item["name"] for item in converted.target["relationships"]} == {"orders_buyer_fkey", "to_order"}
    assert [(item.line, item.rule) for item in converted.warnings] == [(30, "left_out"), (9, "quoted_name")]


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        (
            "Table a {\n  id varchr\n}",
            "unknown_type",
            'line 2, column 3: unknown type "varchr", did you mean "varchar"?',
        ),
        ("Table a {\n  id int\n}\nRef: a.id > b.id", "unknown_reference", 'line 4, column 6: there is no table "b"'),
        ("Table a {\n  id int\n  id int\n}", "duplicate", "line 3, column 3"),
        ("Table a {\n  id int [default: `pg_sleep(9)`]\n}", "refused", "line 2, column 3"),
        (
            "Table a {\n  id text [default: `pg_sleep(9)::text`]\n}",
            "expression_forbidden",
            "line 2, column 3: column a.id",
        ),
        ("Table a {\n  id int [default: `1); DROP TABLE b; --`]\n}", "expression", "line 2, column 3"),
        ("Table a {\n  id int\n}\nRef: a.id > a.id", "refused", "line 4, column 6"),
    ],
)
async def test_what_the_target_may_not_say_is_told_at_its_place(
    planned: Planned, text: str, rule: str, words: str
) -> None:
    with pytest.raises(DataForgeError) as error:
        await convert(planned, text)

    [found] = error.value.violations
    assert found.rule == rule
    assert words in found.message


DOCUMENTS = {
    f"{name} ({side})": document
    for name, case in CASES.items()
    for side, document in (("before", case.before), ("after", case.after))
    if not case.refused and not isinstance(document, str)
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_what_a_target_is_in_dbml_becomes_the_same_again_unless_it_says_what_is_lost(
    planned: Planned, name: str
) -> None:
    wanted = await compile_target(planned.connection, parse_design(DOCUMENTS[name]))

    lost = list(beyond_dbml(wanted))
    again: str | None = None
    with contextlib.suppress(InvalidSource):  # of columns whose domain is lost
        again = (await convert(planned, write_dbml(wanted))).schema.fingerprint

    await planned.connection.rollback()
    assert again == wanted.fingerprint or lost
