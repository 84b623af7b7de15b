"""Random pairs of schemas on a real server: a plan leads exactly to its target, and its way back to the start."""

import asyncio
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings

from tests.builders.planned import Planned
from tests.builders.schema_strategies import documents

# A plan is made and run four times for an example.
some = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@some
@given(documents(), documents())
def test_any_schema_becomes_any_other_and_comes_back(
    plain_database: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    async def check() -> None:
        async with await psycopg.AsyncConnection.connect(plain_database) as connection:
            planned = Planned(connection)
            await planned.begin()
            start = await planned.deploy(first)
            assert (await planned.schema()).fingerprint == start.target_fingerprint

            there = await planned.deploy(second)

            assert (await planned.schema()).fingerprint == there.target_fingerprint
            assert (await planned.plan(second)).up == ()
            await planned.run(there.down)
            assert (await planned.schema()).fingerprint == there.base_fingerprint
            await planned.begin()

    asyncio.run(check())
