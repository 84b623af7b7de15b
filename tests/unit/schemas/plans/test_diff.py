"""Differences of schemas without a database: nothing for equal ones, and forms that let others work."""

from typing import Any

import pytest
from hypothesis import given

from dataforge.contexts.schemas.designs.domain.document import parse_design
from dataforge.contexts.schemas.designs.domain.model import Schema
from dataforge.contexts.schemas.plans.domain.changes import Change, Phase, Risk
from dataforge.contexts.schemas.plans.domain.diff import find_changes
from dataforge.contexts.schemas.plans.domain.plan import Plan, script
from dataforge.contexts.schemas.plans.domain.scene import Options
from dataforge.contexts.schemas.plans.domain.trash import Trash
from tests.builders.schema_strategies import documents
from tests.builders.schemas import column, table


def schema(*tables: dict[str, Any], **more: Any) -> Schema:
    return parse_design({"tables": list(tables), **more}).schema


def changes(start: Schema, end: Schema, *, online: bool = True) -> list[Change]:
    return find_changes(start, end, Options(online, frozenset(start.tables)))


@given(documents())
def test_equal_schemas_have_no_difference(document: dict[str, Any]) -> None:
    assert changes(parse_design(document).schema, parse_design(document).schema) == []


@given(documents(), documents())
def test_changes_come_in_the_order_of_their_phases_and_lose_nothing_unsaid(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    start, end = parse_design(first).schema, parse_design(second).schema

    found = changes(start, end)

    assert [item.order for item in found] == sorted(item.order for item in found)
    lost = {f"table {name}" for name in start.tables if name not in end.tables}
    lost |= {
        f"column {name}.{column}"
        for name, kept in start.tables.items()
        if name in end.tables
        for column, old in kept.columns.items()
        if column not in end.tables[name].columns and old.generated is None
    }
    assert lost <= {item.object for item in found if item.risk is Risk.DESTRUCTIVE}


@pytest.mark.parametrize(("online", "phase"), [(True, Phase.BUILD), (False, Phase.CHANGE)])
def test_an_index_is_built_beside_the_work_of_others_unless_asked_otherwise(*, online: bool, phase: Phase) -> None:
    [found] = changes(
        schema(table("a", column("b"))),
        schema(table("a", column("b"), indexes=[{"columns": ["b"]}])),
        online=online,
    )

    assert found.phase is phase
    assert (" CONCURRENTLY " in found.statements[0].sql) is online


def test_a_check_of_old_rows_comes_after_and_by_itself() -> None:
    checked = schema(table("a", checks=[{"name": "c", "expr": "id > 0"}]))

    first, later = changes(schema(table("a")), checked)

    assert first.statements[0].sql.endswith("NOT VALID")
    assert (later.phase, later.statements[0].sql) == (Phase.VALIDATE, 'ALTER TABLE "a" VALIDATE CONSTRAINT "c"')


def test_a_plan_of_other_statements_or_another_start_has_another_hash() -> None:
    up = tuple(changes(schema(), schema(table("a"))))
    plan = Plan("ws", "start", "end", up, ())
    others = [Plan("ws", "other", "end", up, ()), Plan("ws", "start", "end", (), ()), Plan("ws", "start", "x", up, ())]

    assert plan.hash == Plan("ws", "start", "end", up, ()).hash
    assert len({plan.hash, *(other.hash for other in others)}) == 4


def test_the_same_plan_has_the_same_hash_in_another_workspace() -> None:
    before, after = schema(table("a", column("b"))), schema(table("a"))
    plans = [
        Plan(name, "start", "end", tuple(find_changes(before, after, Options(trash=Trash(name)))), ())
        for name in ("ws_1", "ws_2")
    ]

    assert plans[0].up != plans[1].up
    assert plans[0].hash == plans[1].hash


def test_a_script_says_what_runs_in_which_transaction() -> None:
    found = changes(schema(table("a")), schema(table("a", indexes=[{"name": "i", "columns": ["id"]}])))

    assert script(found) == (
        '-- build: each statement by itself\nCREATE INDEX CONCURRENTLY "i" ON "a" USING btree ("id");\n'
    )


def test_a_column_that_shall_not_be_null_is_looked_at_while_others_write() -> None:
    start = schema(table("people", column("a", "TEXT")))
    end = schema(table("people", column("a", "TEXT", nullable=False)))

    online, short = changes(start, end), changes(start, end, online=False)

    assert [(item.op, item.phase) for item in online] == [
        ("check not null", Phase.CHANGE),
        ("validate", Phase.VALIDATE),
        ("set not null", Phase.FINISH),
    ]
    assert [(item.op, item.phase, item.risk) for item in short] == [("set not null", Phase.CHANGE, Risk.LOCKING)]


def test_a_column_that_gets_numbers_of_its_own_is_never_null_before_it_does() -> None:
    plain = {"name": "people", "columns": [column("a", "BIGINT")]}
    start, end = schema(plain), schema(plain | {"columns": [column("a", "BIGINT", nullable=False, identity=True)]})

    assert [item.op for item in changes(start, end)] == ["set not null", "add identity"]
