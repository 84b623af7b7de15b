"""Random pairs of schemas whose types, views and sequences are made of one another, on a real server."""

import asyncio
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings

from dataforge.contexts.schemas.designs.domain.writing import to_document
from tests.builders.planned import Planned
from tests.builders.type_strategies import typed_documents

# A plan is made and run four times for an example.
some = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@some
@given(typed_documents(), typed_documents())
def test_types_become_any_others_and_come_back(
    plain_database: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    async def check() -> None:
        async with await psycopg.AsyncConnection.connect(plain_database) as connection:
            planned = Planned(connection)
            await planned.begin()
            start = await planned.deploy(first)
            assert (await planned.schema()).fingerprint == start.target_fingerprint
            read_back = to_document(await planned.schema(), planned.namespace)
            assert (await planned.plan(read_back)).up == ()

            there = await planned.deploy(second)

            assert (await planned.schema()).fingerprint == there.target_fingerprint
            assert (await planned.plan(second)).up == ()
            await planned.run(there.down)
            assert (await planned.schema()).fingerprint == there.base_fingerprint
            await planned.begin()

    asyncio.run(check())
