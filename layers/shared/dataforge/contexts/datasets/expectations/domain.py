"""Expectations: what must be true of a table before a commit reaches a protected branch."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from dataforge.kernel.errors import AlreadyExists, NotFound, ValidationFailed, Violation
from dataforge.kernel.texts import Text


class ExpectationRule(StrEnum):
    """Kinds of expectations."""

    NOT_NULL = "not_null"
    UNIQUE = "unique"
    RANGE = "range"
    REGEX = "regex"
    FOREIGN_KEY = "foreign_key"
    ROW_COUNT_DRIFT = "row_count_drift"


class Severity(StrEnum):
    """Whether a broken expectation stops a merge or is only shown."""

    ERROR = "error"
    WARNING = "warning"


class ExpectationNotFound(NotFound):
    """The dataset has no such expectation."""

    code = "expectation_not_found"
    title = "There is no such expectation"


class ExpectationExists(AlreadyExists):
    """The dataset has an expectation of this name."""

    code = "expectation_exists"
    title = "The expectation already exists"


class InvalidExpectation(ValidationFailed):
    """The definition of an expectation does not make sense."""

    code = "invalid_expectation"
    title = "The expectation cannot be checked"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One rule for one sheet (None: every sheet that has the columns); `parameters` as `check_parameters` says."""

    id: UUID
    name: str
    rule: ExpectationRule
    columns: tuple[str, ...]
    parameters: Mapping[str, Any]
    sheet: str | None = None
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one expectation on one sheet; `examples` are up to ten offending rows as row numbers and values."""

    expectation_id: UUID
    name: str
    rule: ExpectationRule
    severity: Severity
    sheet: str | None
    passed: bool
    violations: int
    detail: str
    examples: tuple[Mapping[str, Any], ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether it stops a merge."""
        return not self.passed and self.severity is Severity.ERROR


def check_parameters(rule: ExpectationRule, columns: tuple[str, ...], parameters: Mapping[str, Any]) -> None:
    """Raise InvalidExpectation unless columns and parameters fit the rule.

    `range`: {min?, max?}; `regex`: {pattern}; `foreign_key`: {dataset_id, ref, sheet?, column};
    `row_count_drift`: {max_percent} against the branch the change would go to; the others have none.
    """
    problems: list[Violation] = []
    allowed = {
        ExpectationRule.NOT_NULL: set[str](),
        ExpectationRule.UNIQUE: set[str](),
        ExpectationRule.RANGE: {"min", "max"},
        ExpectationRule.REGEX: {"pattern"},
        ExpectationRule.FOREIGN_KEY: {"dataset_id", "ref", "sheet", "column"},
        ExpectationRule.ROW_COUNT_DRIFT: {"max_percent"},
    }[rule]
    problems.extend(
        Violation(f"/parameters/{name}", Text("is not a parameter of {rule}", rule=rule.value), "unknown")
        for name in sorted(set(parameters) - allowed)
    )
    if rule is ExpectationRule.ROW_COUNT_DRIFT:
        if columns:
            problems.append(Violation("/columns", Text("row_count_drift is about the whole table"), "columns"))
        percent = parameters.get("max_percent")
        if isinstance(percent, bool) or not isinstance(percent, int | float) or percent < 0:
            problems.append(Violation("/parameters/max_percent", Text("must be a number of at least 0"), "max_percent"))
    elif not columns:
        problems.append(Violation("/columns", Text("{rule} needs at least one column", rule=rule.value), "columns"))
    problems.extend(_OWN_CHECKS[rule](columns, parameters) if rule in _OWN_CHECKS else [])
    if problems:
        places = "; ".join(f"{item.pointer}: {item.message}" for item in problems)
        raise InvalidExpectation(
            Text("The expectation cannot be checked. {places}.", places=places), violations=problems
        )


def _range(_columns: tuple[str, ...], parameters: Mapping[str, Any]) -> list[Violation]:
    low, high = parameters.get("min"), parameters.get("max")
    if low is None and high is None:
        return [Violation("/parameters", Text("a range needs min, max or both"), "range")]
    kinds = {type(value) if isinstance(value, str) else float for value in (low, high) if value is not None}
    bad = [v for v in (low, high) if v is not None and (isinstance(v, bool) or not isinstance(v, int | float | str))]
    if bad or len(kinds) > 1:
        return [
            Violation("/parameters", Text("min and max must both be numbers or both be texts (ISO dates)"), "range")
        ]
    return []


def _regex(_columns: tuple[str, ...], parameters: Mapping[str, Any]) -> list[Violation]:
    pattern = parameters.get("pattern")
    if not isinstance(pattern, str) or not 1 <= len(pattern) <= 500:
        return [Violation("/parameters/pattern", Text("must be a text of 1 to 500 characters"), "pattern")]
    return []  # whether it is a regular expression is for the engine that runs it to say (engine.expectations)


def _foreign_key(columns: tuple[str, ...], parameters: Mapping[str, Any]) -> list[Violation]:
    problems = []
    try:
        UUID(str(parameters.get("dataset_id")))
    except ValueError:
        problems.append(Violation("/parameters/dataset_id", Text("must be the id of a dataset"), "dataset_id"))
    if not isinstance(parameters.get("ref"), str):
        problems.append(Violation("/parameters/ref", Text("must name a branch, tag or commit"), "ref"))
    if len(columns) > 1:
        problems.append(Violation("/columns", Text("a foreign key has one column"), "columns"))
    if not isinstance(parameters.get("column"), str):
        problems.append(Violation("/parameters/column", Text("must name the column of the other table"), "column"))
    return problems


_OWN_CHECKS = {ExpectationRule.RANGE: _range, ExpectationRule.REGEX: _regex, ExpectationRule.FOREIGN_KEY: _foreign_key}


def result_json(result: CheckResult) -> dict[str, Any]:
    """A check result for the database and the wire."""
    return {
        "expectation_id": str(result.expectation_id),
        "name": result.name,
        "rule": result.rule.value,
        "severity": result.severity.value,
        "sheet": result.sheet,
        "passed": result.passed,
        "violations": result.violations,
        "detail": result.detail,
        "examples": [dict(item) for item in result.examples],
    }
