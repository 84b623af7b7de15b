"""What Pydantic finds wrong, in words for whoever sent it: its own speak of Python ("a valid dictionary", "extra
inputs"), and begin messages of our validators with "Value error".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field that this request has",
    "uuid": "must be a UUID",
    "string": "must be a string",
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "finite": "must be a finite number",
    "bool": "must be true or false",
    "date": "must be a date such as 2026-09-01",
    "datetime": "must be a date and time such as 2026-09-01T08:00:00Z",
    "time": "must be a time such as 09:00",
    "list": "must be a list",
    "dict": "must be an object",
    "model": "must be an object",
}
_LIMITS = {
    "greater_than": ("must be greater than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "multiple_of": ("must be a multiple of {}", "multiple_of"),
    "string_pattern_mismatch": ("must match the pattern {}", "pattern"),
    "enum": ("must be {}", "expected"),
    "literal_error": ("must be {}", "expected"),
}
_LENGTHS = {
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
}


def plain_message(found: Mapping[str, Any]) -> str:
    """The message of one of Pydantic's errors (`type`, `ctx`, `msg`), to be read after the place it is about."""
    kind, context = str(found["type"]), found.get("ctx") or {}
    if kind in ("value_error", "assertion_error") and "error" in context:
        return str(context["error"])
    if kind in _LENGTHS:
        bound, name, what = _LENGTHS[kind]
        return _length(bound, context[name], what)
    if kind in _LIMITS:
        words, name = _LIMITS[kind]
        return words.format(context[name])
    return _WORDS.get(kind) or _WORDS.get(_family(kind)) or str(found["msg"])


def _length(bound: str, count: int, what: str) -> str:
    if (bound, count) == ("at least", 1):
        return "must not be empty"
    return f"must have {bound} {count:,} {what}{'' if count == 1 else 's'}"


def _family(kind: str) -> str:
    """`int` of `int_parsing` and `int_from_float`; other kinds have no words of ours (`date_from_datetime_inexact`)."""
    family, _, failure = kind.partition("_")
    return family if failure in _FAILURES else ""


_FAILURES = frozenset(
    {
        "attributes_type",
        "from_datetime_parsing",
        "from_date_parsing",
        "from_float",
        "number",
        "parsing",
        "type",
    }
)


def and_more(places: Sequence[str], most: int) -> str:
    """`a, b and c`, or as many as are shown and how many more there are: `a, b and 3 more`."""
    shown = list(places[:most])
    if len(places) > most:
        shown.append(f"{len(places) - most} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
