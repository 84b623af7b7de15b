"""Labelled changes of schemas on a real server."""

import pytest

from dataforge.contexts.schemas.plans.domain.changes import Risk
from tests.builders.planned import Planned
from tests.builders.schema_cases import CASES


@pytest.mark.parametrize("name", CASES)
async def test_a_change_is_what_its_label_says(planned: Planned, name: str) -> None:
    case = CASES[name]
    await planned.begin()
    await planned.deploy(case.before)
    if case.rows:
        await planned.sql(case.rows)

    plan = await planned.deploy(case.after)

    assert (await planned.schema()).fingerprint == plan.target_fingerprint
    assert (await planned.plan(case.after)).up == ()
    assert case.operations <= {item.op for item in plan.up}
    assert case.operations or plan.up == ()
    assert {item.object for item in plan.up if item.risk is Risk.DESTRUCTIVE} == case.destroys
    if case.keeps is not None:
        query, rows = case.keeps
        assert await planned.sql(query) == rows
    await planned.run(plan.down)
    assert (await planned.schema()).fingerprint == plan.base_fingerprint
