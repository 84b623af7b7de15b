"""Trials: a plan is run as it would be deployed on a committed copy, which tells its locks and is gone afterwards."""

import time
from dataclasses import replace
from typing import Any

import pytest

from dataforge.contexts.schemas.deployments.queries import left_trials
from dataforge.contexts.schemas.plans.domain.changes import Phase, Risk, Statement
from dataforge.contexts.schemas.plans.domain.evidence import Evidence
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.contexts.schemas.plans.proof import PlanRefused
from dataforge.contexts.schemas.plans.trials import drop_stale_copies, try_plan
from tests.builders.planned import Planned
from tests.builders.schema_cases.case import A, B, link, people, tables
from tests.builders.schemas import SchemasUnderTest, column, table


async def tried(planned: Planned, after: dict[str, Any]) -> dict[str, tuple[Evidence, Risk]]:
    """What a trial of the way to a document saw, by operation."""
    plan = await try_plan(planned.connection, await planned.plan(after))
    return {item.op: (plan.seen(index), plan.risk_of(index)) for index, item in enumerate(plan.up)}


async def started(planned: Planned, before: dict[str, Any]) -> None:
    await planned.begin()
    await planned.deploy(before)


async def copies(planned: Planned) -> list[Any]:
    return await planned.sql("SELECT nspname FROM pg_namespace WHERE nspname ~ '^trial_'")


async def test_locks_are_those_on_tables_that_were_there_the_other_end_of_a_foreign_key_too(planned: Planned) -> None:
    other = column("other_id", "BIGINT")
    before = tables(people(A), table("orders", other), table("by itself"))
    await started(planned, before)
    await planned.sql("INSERT INTO orders DEFAULT VALUES")
    linked = tables(people(A), table("orders", other), table("by itself"), relationships=[link("orders", "people")])

    online = await tried(planned, linked)
    short = await tried(planned, linked | {"onlineChanges": False})

    assert online["add foreign key"][0].locks == {"orders": "SHARE ROW EXCLUSIVE", "people": "SHARE ROW EXCLUSIVE"}
    assert online["add foreign key"][0].scans is False
    assert online["validate"][0].locks == {"orders": "SHARE UPDATE EXCLUSIVE", "people": "ROW SHARE"}
    assert online["validate"][0].scans is True
    assert {risk for _, risk in online.values()} == {Risk.SAFE}
    assert (short["add foreign key"][0].scans, short["add foreign key"][1]) == (True, Risk.LOCKING)
    assert await copies(planned) == []


async def test_an_index_is_built_concurrently_as_it_would_be(planned: Planned) -> None:
    before, after = tables(people(A)), tables(people(A, indexes=[{"columns": ["a"]}]))
    await started(planned, before)
    await planned.sql("INSERT INTO people (a) VALUES ('Ada')")

    online = await tried(planned, after)
    short = await tried(planned, after | {"onlineChanges": False})

    seen, risk = online["create index"]
    assert (seen.locks, seen.scans, risk) == ({"people": "SHARE UPDATE EXCLUSIVE"}, True, Risk.SAFE)
    seen, risk = short["create index"]
    assert (seen.locks, seen.scans, risk) == ({"people": "SHARE"}, True, Risk.LOCKING)


async def test_a_longer_text_is_neither_rewritten_nor_read(planned: Planned) -> None:
    before = tables(people(column("a", "VARCHAR(160)"), column("n", "INTEGER")))
    await started(planned, before)

    seen = await tried(planned, tables(people(column("a", "VARCHAR(200)"), column("n", "INTEGER"))))

    evidence, risk = seen["change type"]
    assert (evidence.rewrites, evidence.scans, evidence.lock, risk) == (False, False, "ACCESS EXCLUSIVE", Risk.SAFE)


async def test_a_domain_that_is_changed_reads_the_tables_that_use_it_and_no_other(planned: Planned) -> None:
    domain = {"name": "code", "dataType": "TEXT"}
    before = tables(people(column("a", "code")), table("orders", B), domains=[domain])
    await started(planned, before)

    seen = await tried(planned, before | {"domains": [domain | {"checks": [{"expr": "VALUE <> ''"}]}]})

    evidence, risk = seen["change domain"]
    assert (evidence.locks, evidence.scans, risk) == ({"people": "SHARE"}, True, Risk.LOCKING)


async def test_a_table_that_is_made_in_the_plan_locks_nobody_out(planned: Planned) -> None:
    before = tables(people(A))
    await started(planned, before)

    seen = await tried(planned, tables(people(A), table("orders", B, indexes=[{"columns": ["b"]}])))

    evidence, risk = seen["create table"]
    assert (dict(evidence.locks), evidence.scans, risk) == ({}, False, Risk.SAFE)


async def test_a_label_is_used_after_it_was_committed(planned: Planned) -> None:
    mood = {"name": "mood", "values": ["sad"]}
    before = tables(people(column("m", "mood")), enums=[mood])
    await started(planned, before)
    later = tables(people(column("m", "mood", default="new")), enums=[mood | {"values": ["sad", "new"]}])

    plan = await try_plan(planned.connection, await planned.plan(later))

    assert [item.phase for item in plan.up] == [Phase.ENUM_VALUES, Phase.CHANGE]
    assert all(plan.seen(index).measured for index in range(2))


async def test_the_copy_of_a_trial_whose_process_died_is_dropped_by_a_later_one(planned: Planned) -> None:
    await started(planned, tables(people(A)))
    young, old = (f"trial_{int(time.time()) - age:x}_left" for age in (60, 3600))
    for name in (young, old, "trial_of_somebody"):
        await planned.sql(f"CREATE SCHEMA {name}; CREATE TABLE {name}.t (a int)")

    dropped = await drop_stale_copies(planned.connection)

    assert (dropped, await copies(planned)) == (1, [(young,), ("trial_of_somebody",)])
    await planned.sql(f"DROP SCHEMA {young} CASCADE; DROP SCHEMA trial_of_somebody CASCADE")


async def test_a_plan_that_postgresql_refuses_in_the_deployed_form_is_not_shown(planned: Planned) -> None:
    before = tables(people(A))
    await started(planned, before)
    plan: Plan = await planned.plan(tables(people(A, indexes=[{"columns": ["a"]}])))
    wrong = replace(plan.up[0], statements=(Statement("CREATE INDEX CONCURRENTLY i ON nobody (a)"),), phase=Phase.BUILD)

    with pytest.raises(PlanRefused, match="nobody"):
        await try_plan(planned.connection, replace(plan, up=(wrong,)))

    assert await copies(planned) == []


async def test_maintenance_has_the_deployer_drop_copies_that_were_left(schemas: SchemasUnderTest) -> None:
    old = f"trial_{int(time.time()) - 3600:x}_left"
    await schemas.sql(f'CREATE SCHEMA {old} AUTHORIZATION "schema-proof"')
    async with schemas.database.read_only() as connection:
        left = await left_trials(connection)

    dropped = await schemas.deployer.drop_trials()

    assert (left, dropped) == ([old], 1)
    assert await schemas.sql("SELECT nspname FROM pg_namespace WHERE nspname ~ '^trial_'") == []
