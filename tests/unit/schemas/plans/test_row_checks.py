"""What live rows are asked because of a change, without a database."""

import time
from typing import Any

import pytest

from dataforge.contexts.schemas.designs.domain.document import Hints, parse_design
from dataforge.contexts.schemas.plans.domain.changes import Change, Statement, change
from dataforge.contexts.schemas.plans.domain.copies import copy_name, is_stale
from dataforge.contexts.schemas.plans.domain.future_rows import FutureRows
from dataforge.contexts.schemas.plans.domain.plan import Plan
from dataforge.contexts.schemas.plans.domain.row_checks import RowCheck, RowChecks, exclusion_elements
from tests.builders.schemas import column, table


def checks(before: dict[str, Any], after: dict[str, Any], item: Change, *old_names: tuple[str, str]) -> list[RowCheck]:
    current, wanted = (parse_design({"tables": [document]}).schema for document in (before, after))
    plan = Plan("ws_1", "a", "b", (item,), (), old_names=old_names)
    return list(RowChecks(FutureRows.of(plan, current, wanted, Hints())).of(item))


def test_rows_are_asked_under_their_new_names() -> None:
    item = change("set not null", "column persons.b", 1, "ALTER", table="persons", column="b")
    names = (("table persons", "people"), ("column persons.b", "a"))

    [asked] = checks(table("people", column("a")), table("persons", column("b")), item, *names)

    assert asked.conditions == ('"b" IS NULL',)
    assert asked.blocking
    assert asked.key == ("id",)
    assert '"a" AS "b"' in asked.source
    assert '"ws_1"."people"' in asked.source


def test_a_change_of_a_table_that_is_new_asks_nothing() -> None:
    item = change("set not null", "column orders.b", 1, "ALTER", table="orders", column="b")

    assert checks(table("people"), table("orders", column("b")), item) == []


def test_what_is_kept_in_the_trash_is_not_lost() -> None:
    gone = Change("drop column", "column people.a", (Statement("ALTER"),), 1, table="people", column="a")
    kept = Change("drop column", "column people.a", (Statement("ALTER"),), 1, table="people", column="a", kept=True)
    before, after = table("people", column("a")), table("people")

    assert [(item.code, item.lost) for item in checks(before, after, gone)] == [("values_lost", True)]
    assert [(item.code, item.lost) for item in checks(before, after, kept)] == [("values_kept", False)]


@pytest.mark.parametrize(
    ("definition", "elements", "where"),
    [
        ("EXCLUDE USING gist (during WITH &&)", [("during", "&&")], ""),
        ("EXCLUDE USING gist (lower(a, b) WITH =, c WITH <>)", [("lower(a, b)", "="), ("c", "<>")], ""),
        ("EXCLUDE USING gist (a WITH =) WHERE ((b > 0))", [("a", "=")], " WHERE ((b > 0))"),
        ("EXCLUDE USING gist (a WITH OPERATOR(public.=))", [("a", "OPERATOR(public.=)")], ""),
        ("EXCLUDE USING gist (a)", [], ""),
    ],
)
def test_an_exclusion_constraint_is_taken_apart(definition: str, elements: list[tuple[str, str]], where: str) -> None:
    assert exclusion_elements(definition) == (elements, where)


def test_the_name_of_a_copy_says_when_it_was_made() -> None:
    assert not is_stale(copy_name())
    assert is_stale(f"trial_{int(time.time()) - 1000:x}_left")
    assert not is_stale("trial_of_somebody")
    assert not is_stale("ws_0123456789abcdef")
