"""Labelled changes of schemas on a real server."""

import pytest

from dataforge.contexts.schemas.plans.domain.changes import Risk
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.kernel.errors import DataForgeError
from tests.builders.planned import Planned
from tests.builders.schema_cases import CASES
from tests.builders.schema_cases.case import Case, Document


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.refused is None])
async def test_a_change_is_what_its_label_says(planned: Planned, name: str) -> None:
    case = CASES[name]
    await _begin(planned, case)
    target, expected = await _target(planned, case)

    plan = await planned.deploy(target)

    assert (await planned.schema()).fingerprint == plan.target_fingerprint
    assert expected in (None, plan.target_fingerprint)
    assert (await planned.plan(target)).up == ()
    assert case.operations <= {item.op for item in plan.up}
    assert case.operations or plan.up == ()
    assert {item.object for item in plan.up if item.risk is Risk.DESTRUCTIVE} == case.destroys
    risks = _risks(plan)
    assert {thing: risks.get(thing) for thing in case.risks} == case.risks
    if case.keeps is not None:
        query, rows = case.keeps
        assert await planned.sql(query) == rows
    await planned.run(plan.down)
    assert (await planned.schema()).fingerprint == plan.base_fingerprint
    if case.back is not None:
        query, rows = case.back
        assert await planned.sql(query) == rows


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.refused is not None])
async def test_a_change_without_a_way_is_refused(planned: Planned, name: str) -> None:
    case = CASES[name]
    await _begin(planned, case)
    target, _ = await _target(planned, case)

    with pytest.raises(DataForgeError) as refusal:
        await planned.plan(target)

    assert refusal.value.code == case.refused


async def _begin(planned: Planned, case: Case) -> None:
    await planned.begin()
    if isinstance(case.before, str):
        await planned.sql(case.before)
    else:
        await planned.deploy(case.before)
    if case.rows:
        await planned.sql(case.rows)


async def _target(planned: Planned, case: Case) -> tuple[Document, str | None]:
    if isinstance(case.after, str):
        return await planned.described(case.after)
    return case.after, None


def _risks(plan: Plan) -> dict[str, Risk]:
    """The highest risk of each object."""
    order = list(Risk)
    risks: dict[str, Risk] = {}
    for index, item in enumerate(plan.up):
        risks[item.object] = max(risks.get(item.object, Risk.SAFE), plan.risk_of(index), key=order.index)
    return risks
