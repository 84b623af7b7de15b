"""Results: score, success, completion, response and duration (Data 2.4.5)."""

from decimal import Decimal

from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.validation.formats import check_duration, check_extensions
from dataforge.contexts.lrs.statements.domain.validation.report import (
    Check,
    Report,
    check_boolean,
    check_members,
    check_string,
    is_number,
)
from dataforge.kernel.texts import Text

Number = int | float | Decimal


def _check_number(value: object, path: str, report: Report) -> None:
    if not is_number(value):
        report.wrong_type(value, path, Text("a finite number"))


def _check_scaled(value: object, path: str, report: Report) -> None:
    number = _number(value)
    if number is None:
        report.wrong_type(value, path, Text("a number from -1 to 1"))
    elif not -1 <= number <= 1:
        report.add(path, Rule.SCORE, Text("A scaled score lies between -1 and 1; this is {number}.", number=number))


_SCORE: dict[str, Check] = {"scaled": _check_scaled, "raw": _check_number, "min": _check_number, "max": _check_number}


def _number(value: object) -> Number | None:
    return value if isinstance(value, int | float | Decimal) and is_number(value) else None


def check_score(value: object, path: str, report: Report) -> None:
    """A score with min < max and min <= raw <= max, as far as they are given."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an object with scaled, raw, min or max"))
        return
    check_members(value, path, report, _SCORE)
    raw, low, high = _number(value.get("raw")), _number(value.get("min")), _number(value.get("max"))
    if low is not None and high is not None and low >= high:
        report.add(
            f"{path}/min",
            Rule.SCORE,
            Text("`min` must be less than `max`; {low} is not less than {high}.", low=low, high=high),
        )
    if raw is not None and low is not None and raw < low:
        report.add(
            f"{path}/raw",
            Rule.SCORE,
            Text("`raw` must not be less than `min`; {raw} is less than {low}.", raw=raw, low=low),
        )
    if raw is not None and high is not None and raw > high:
        report.add(
            f"{path}/raw",
            Rule.SCORE,
            Text("`raw` must not be more than `max`; {raw} is more than {high}.", raw=raw, high=high),
        )


_RESULT: dict[str, Check] = {
    "score": check_score,
    "success": check_boolean,
    "completion": check_boolean,
    "response": check_string,
    "duration": check_duration,
    "extensions": check_extensions,
}


def check_result(value: object, path: str, report: Report) -> None:
    """What came out of it."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an object"))
        return
    check_members(value, path, report, _RESULT)
