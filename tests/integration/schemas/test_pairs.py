"""From one SQL text to another: what a plan leads to is judged by the catalog, not by the product's own reader."""

import re
import secrets
from pathlib import Path

import pytest

from dataforge.contexts.schemas.designs.domain.writing import to_document
from dataforge.contexts.schemas.designs.queries import read_schema
from tests.builders.catalogs import catalog_of, rows_of
from tests.builders.planned import Planned

_FILE = Path(__file__).parents[2] / "builders" / "schema_pairs.sql"
_PAIRS = dict(part.split("\n", 1) for part in re.split("^--# ", _FILE.read_text(), flags=re.MULTILINE)[1:])


@pytest.mark.parametrize("name", _PAIRS)
async def test_a_plan_leads_to_what_the_other_sql_makes_and_back(planned: Planned, name: str) -> None:
    start, _, end = _PAIRS[name].partition("\n=>\n")
    await planned.begin()
    await planned.sql(start)
    wanted = f"ws_{secrets.token_hex(8)}"
    await planned.connection.execute(f"CREATE SCHEMA {wanted}; SET search_path TO {wanted}; {end}".encode())
    await planned.connection.commit()
    document = to_document(await read_schema(planned.connection, wanted), wanted)
    await planned.connection.rollback()
    tables = set(await rows_of(planned.connection, planned.namespace))
    before = await catalog_of(planned.connection, planned.namespace)

    plan = await planned.deploy(document)

    assert await catalog_of(planned.connection, planned.namespace) == await catalog_of(planned.connection, wanted)
    assert (await planned.plan(document)).up == ()
    await planned.run(plan.down)
    assert await catalog_of(planned.connection, planned.namespace) == before
    assert set(await rows_of(planned.connection, planned.namespace)) == tables
    await planned.connection.execute(f"DROP SCHEMA {wanted} CASCADE")
    await planned.connection.commit()
