"""What Pydantic finds wrong, in words for whoever sent it: its own speak of Python ("a valid dictionary", "extra
inputs"), and begin messages of our validators with "Value error".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataforge.kernel.texts import Text

_WORDS = {
    "missing": Text("is required"),
    "extra_forbidden": Text("is not a field that this request has"),
    "uuid": Text("must be a UUID"),
    "string": Text("must be a string"),
    "int": Text("must be a whole number"),
    "float": Text("must be a number"),
    "decimal": Text("must be a number"),
    "finite": Text("must be a finite number"),
    "bool": Text("must be true or false"),
    "date": Text("must be a date such as 2026-09-01"),
    "datetime": Text("must be a date and time such as 2026-09-01T08:00:00Z"),
    "time": Text("must be a time such as 09:00"),
    "list": Text("must be a list"),
    "dict": Text("must be an object"),
    "model": Text("must be an object"),
    "json_invalid": Text("is not valid JSON"),
    "json_type": Text("must be JSON text"),
}
_LIMITS = {
    "greater_than": ("must be greater than {limit}", "gt"),
    "greater_than_equal": ("must be at least {limit}", "ge"),
    "less_than": ("must be less than {limit}", "lt"),
    "less_than_equal": ("must be at most {limit}", "le"),
    "multiple_of": ("must be a multiple of {limit}", "multiple_of"),
    "string_pattern_mismatch": ("must match the pattern {limit}", "pattern"),
    "enum": ("must be {limit}", "expected"),
    "literal_error": ("must be {limit}", "expected"),
}
_LENGTHS = {
    "string_too_short": (
        "min_length",
        "must have at least {count:,} character",
        "must have at least {count:,} characters",
    ),
    "string_too_long": (
        "max_length",
        "must have at most {count:,} character",
        "must have at most {count:,} characters",
    ),
    "too_short": ("min_length", "must have at least {count:,} item", "must have at least {count:,} items"),
    "too_long": ("max_length", "must have at most {count:,} item", "must have at most {count:,} items"),
}
MESSAGES: tuple[str | tuple[str, str], ...] = (
    *(message for message, _ in _LIMITS.values()),
    *((one, several) for _, one, several in _LENGTHS.values()),
)


def plain_message(found: Mapping[str, Any]) -> str:
    """The message of one of Pydantic's errors (`type`, `ctx`, `msg`), to be read after the place it is about."""
    kind, context = str(found["type"]), found.get("ctx") or {}
    if kind in ("value_error", "assertion_error") and "error" in context:
        return str(context["error"])
    if kind in _LENGTHS:
        name, one, several = _LENGTHS[kind]
        count = context[name]
        if name == "min_length" and count == 1:
            return Text("must not be empty")
        return Text.counted(one, several, count=count)
    if kind in _LIMITS:
        message, name = _LIMITS[kind]
        return Text(message, limit=context[name])
    return _WORDS.get(kind) or _WORDS.get(_family(kind)) or str(found["msg"])


def _family(kind: str) -> str:
    """`int` of `int_parsing` and `int_from_float`; other kinds have no words of ours (`recursion_loop`)."""
    family, _, failure = kind.partition("_")
    return family if failure in _FAILURES else ""


_FAILURES = frozenset(
    {
        "attributes_type",
        "from_datetime_inexact",
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
        shown.append(Text("{count} more", count=len(places) - most))
    if len(shown) < 2:
        return shown[0] if shown else ""
    return Text("{others} and {last}", others=", ".join(shown[:-1]), last=shown[-1])
