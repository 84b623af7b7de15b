"""Expectations, checked against tables that are committed or about to be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from dataforge.contexts.datasets.commits.versions import Versions
from dataforge.contexts.datasets.expectations.domain import (
    CheckResult,
    Expectation,
    ExpectationRule,
    InvalidExpectation,
)
from dataforge.contexts.datasets.expectations.queries import expectation_of, list_expectations
from dataforge.kernel.errors import DataForgeError, Violation
from dataforge.kernel.texts import Text
from versioned_tables.errors import FilterRefused
from versioned_tables.format.manifest import Manifest
from versioned_tables.read.checks import check, rule_problem
from versioned_tables.read.table_rules import TableRule
from versioned_tables.storage.table_store import TableStore

EXAMPLES = 10


async def run_checks(
    versions: Versions, dataset_id: UUID, tables: Mapping[str, Manifest], before: Mapping[str, Manifest]
) -> list[CheckResult]:
    """One result per expectation and sheet it is about; `before` is what row-count drift compares with."""
    async with versions.database.read_only() as connection:
        wanted = [expectation_of(row) for row in await list_expectations(connection, dataset_id)]
    results: list[CheckResult] = []
    for expectation in wanted:
        sheets = _sheets(expectation, tables)
        results += [await _check(versions, dataset_id, expectation, sheet, tables, before) for sheet in sheets]
    return results


def _sheets(expectation: Expectation, tables: Mapping[str, Manifest]) -> Sequence[str]:
    if expectation.sheet is not None:
        return [expectation.sheet]
    has_all = [
        sheet
        for sheet, manifest in tables.items()
        if all(manifest.schema.by_name(column) is not None for column in expectation.columns)
    ]
    return has_all or [""]


async def require_runnable(versions: Versions, dataset_id: UUID, expectation: Expectation, ref: str) -> None:
    """Raise InvalidExpectation when what runs it could not, on the tables there are on a branch now.

    Accepted all the same, it would fail with every check and block every merge.
    """
    wanted = _table_rule(expectation)
    tables = (await versions.load(dataset_id, ref)).manifests
    schemas = [manifest.schema for sheet, manifest in tables.items() if expectation.sheet in (None, sheet)]
    for schema in (None, *schemas):
        problem = rule_problem(wanted, schema)
        if problem is not None:
            pointer = "/parameters/pattern" if expectation.rule is ExpectationRule.REGEX else "/parameters"
            message = Text("The expectation cannot be checked. {problem}", problem=problem)
            raise InvalidExpectation(message, violations=[Violation(pointer, problem, "not_runnable")])


async def _check(
    versions: Versions,
    dataset_id: UUID,
    expectation: Expectation,
    sheet: str,
    tables: Mapping[str, Manifest],
    before: Mapping[str, Manifest],
) -> CheckResult:
    def result(*, passed: bool, broken: int, detail: str, examples: Sequence[str] = ()) -> CheckResult:
        shown = tuple({"row_id": one} for one in examples[:EXAMPLES])
        return CheckResult(
            expectation.id,
            expectation.name,
            expectation.rule,
            expectation.severity,
            sheet or None,
            passed,
            broken,
            detail,
            shown,
        )

    manifest = tables.get(sheet)
    if manifest is None:
        what = Text("There is no sheet {sheet!r}.", sheet=sheet) if sheet else Text("No sheet has these columns.")
        return result(passed=False, broken=0, detail=what)
    try:
        foreign = await _foreign(versions, expectation)
        wanted = _table_rule(expectation)
        found = await asyncio.to_thread(
            check, versions.store(dataset_id), manifest, [wanted], base=before.get(sheet), foreign=foreign
        )
    except (FilterRefused, DataForgeError) as error:
        return result(passed=False, broken=0, detail=error.detail)
    one = found[0]
    return result(passed=one.passed, broken=one.broken, detail=one.message, examples=one.examples)


async def _foreign(versions: Versions, expectation: Expectation) -> dict[str, tuple[TableStore, Manifest]]:
    if expectation.rule is not ExpectationRule.FOREIGN_KEY:
        return {}
    other = UUID(str(expectation.parameters["dataset_id"]))
    version = await versions.load(other, str(expectation.parameters["ref"]))
    _, manifest = version.sheet(expectation.parameters.get("sheet"))
    return {"foreign": (versions.store(other), manifest)}


def _table_rule(expectation: Expectation) -> TableRule:
    parameters = expectation.parameters
    return TableRule(
        kind=expectation.rule.value,
        columns=expectation.columns,
        low=parameters.get("min"),
        high=parameters.get("max"),
        pattern=str(parameters.get("pattern", "")),
        table="foreign" if expectation.rule is ExpectationRule.FOREIGN_KEY else "",
        other=str(parameters.get("column", "")),
        share=float(parameters.get("max_percent", 0)) / 100,
    )
