"""When two statements are the same: a form in which everything that may differ is taken out or made alike.

Data 2.3.1 (statement immutability and exceptions) says what an LRS may change or ignore: `id`, `stored`, `authority`
and `version`, a verb's `display`, an activity's `definition`, the letter case of an e-mail domain, the order of Group
members, the spelling of defaults, single context activities, time zones, and seconds of a duration beyond 0.01. Key
order, white space and the spelling of a number never count. Statements come from
`parse_json` or `read_json`, which give one Python value per number.
"""

import hashlib
from collections.abc import Callable
from decimal import Decimal

from dataforge.contexts.lrs.statements.domain.json_text import to_json
from dataforge.contexts.lrs.statements.domain.times import canonical_duration, canonical_timestamp

_ASSIGNED = frozenset({"id", "stored", "authority", "version"})
_EXACT_INTEGERS = 2**53

Change = Callable[[object], object]


def _number(value: float | Decimal) -> object:
    """One value per number: 1, 1.0 and 1e0 become 1; what no double holds becomes a Decimal without trailing zeros."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _EXACT_INTEGERS:
            return int(value)
        if abs(value) < _EXACT_INTEGERS:
            return value
        value = Decimal(repr(value))
    elif isinstance(value, int):
        if abs(value) < _EXACT_INTEGERS:
            return value
        value = Decimal(value)
    sign, digits, exponent = value.as_tuple()
    # Decimal.normalize() would round to the precision of the context.
    kept = len(digits)
    while kept > 1 and digits[kept - 1] == 0:
        kept -= 1
    return Decimal((sign, digits[:kept], int(exponent) + len(digits) - kept))


def _any(value: object) -> object:
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, dict):
        return {key: _any(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_any(item) for item in value]
    return _number(value) if isinstance(value, int | float | Decimal) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _object(changes: dict[str, Change], default_type: str | None = None) -> Change:
    """A change for objects: some members change, the default `objectType` goes, the others stay as they are."""

    def change(value: object) -> object:
        if not isinstance(value, dict):
            return _any(value)
        found = {key: changes[key](item) if key in changes else item for key, item in value.items()}
        if default_type is not None and found.get("objectType") == default_type:
            del found["objectType"]
        return found

    return change


def _without(name: str, default_type: str | None = None) -> Change:
    """A change for objects of which one member does not count."""
    change = _object({}, default_type)

    def changed(value: object) -> object:
        return change({key: item for key, item in value.items() if key != name} if isinstance(value, dict) else value)

    return changed


def _domain_lower(value: object) -> object:
    # What stands before the @ may have letter case (RFC 5321 §2.4).
    if not isinstance(value, str):
        return value
    name, at, domain = value.rpartition("@")
    return f"{name}{at}{domain.lower()}"


def _list_of(change: Change, *, wrap: bool = False, ordered: bool = True) -> Change:
    def change_list(value: object) -> object:
        if wrap and isinstance(value, dict):
            value = [value]
        if not isinstance(value, list):
            return _any(value)
        items = [change(item) for item in value]
        return items if ordered else sorted(items, key=lambda item: to_json(item, sort_keys=True))

    return change_list


_IDENTIFIERS: dict[str, Change] = {"mbox": _domain_lower, "mbox_sha1sum": _lower}
_agent = _object(_IDENTIFIERS, "Agent")
_actor = _object({**_IDENTIFIERS, "member": _list_of(_agent, ordered=False)}, "Agent")
_activity = _without("definition", "Activity")
_verb = _without("display")
_related = _list_of(_activity, wrap=True)
_reference = _object({"id": _lower})
_context = _object(
    {
        "registration": _lower,
        "instructor": _actor,
        "team": _actor,
        "contextActivities": _object(dict.fromkeys(("parent", "grouping", "category", "other"), _related)),
        "statement": _reference,
        "extensions": _any,
        "contextAgents": _list_of(_object({"agent": _agent})),
        "contextGroups": _list_of(_object({"group": _actor})),
    },
)


def _duration(value: object) -> object:
    return canonical_duration(value) if isinstance(value, str) else value


def _timestamp(value: object) -> object:
    return canonical_timestamp(value) if isinstance(value, str) else value


_result = _object({"score": _any, "duration": _duration, "extensions": _any})
_attachment = _object({"sha2": _lower, "length": _any})


def _target(value: object) -> object:
    kind = value.get("objectType", "Activity") if isinstance(value, dict) else None
    if kind == "Activity":
        return _activity(value)
    if kind == "StatementRef":
        return _reference(value)
    if kind == "SubStatement":
        return _statement(value)
    # An Agent as object keeps its objectType: without it, it would be an Activity.
    return _object({**_IDENTIFIERS, "member": _list_of(_agent, ordered=False)})(value)


_statement = _object(
    {
        "actor": _actor,
        "verb": _verb,
        "object": _target,
        "result": _result,
        "context": _context,
        "timestamp": _timestamp,
        "attachments": _list_of(_attachment),
    },
)


def normal_form(statement: dict[str, object]) -> dict[str, object]:
    """The statement without what may differ, as a new object; parts that are alike already are shared, not copied."""
    found = _statement({key: value for key, value in statement.items() if key not in _ASSIGNED})
    return found if isinstance(found, dict) else {}


def content_sha256(statement: dict[str, object]) -> str:
    """SHA-256 of the normal form as sorted compact JSON, 64 hex digits; equal for statements that are the same.

    Taken of a statement as it was received: a `timestamp` that the store added is not part of what was sent.
    """
    return hashlib.sha256(to_json(normal_form(statement), sort_keys=True)).hexdigest()


def same_statement(one: dict[str, object], other: dict[str, object]) -> bool:
    """Whether two statements say the same (Data 2.3.1); a timestamp only one has may be the store's and is ignored."""
    if ("timestamp" in one) != ("timestamp" in other):
        one = {key: value for key, value in one.items() if key != "timestamp"}
        other = {key: value for key, value in other.items() if key != "timestamp"}
    return content_sha256(one) == content_sha256(other)


def has_content(stored: dict[str, object], digest: bytes) -> bool:
    """Whether a stored statement says what has this hash, with its timestamp or without the one the store added.

    Hashes that were stored when less was made alike are compared so.
    """
    bare = {key: value for key, value in stored.items() if key != "timestamp"}
    return digest.hex() in (content_sha256(stored), content_sha256(bare))
