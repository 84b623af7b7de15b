"""Which rows a change of a column's type would leave with less than they had, as conditions in SQL.

A value is whole when it is the same after a way to the new type and back. Texts are compared with a type that keeps
more than the new one: `3.14` as numeric(4,1) with numeric, so that another spelling (`007`, `yes`) is no loss.
"""

import re
from dataclasses import dataclass

from dataforge.kernel.texts import Text

_TEXTS = frozenset({"text", "character varying", "character", "bpchar", "name"})
_WIDEST = {
    "numeric": "numeric",
    "integer": "numeric",
    "smallint": "numeric",
    "bigint": "numeric",
    "real": "numeric",
    "double precision": "numeric",
    "money": "numeric",
    "date": "timestamp without time zone",
    "timestamp without time zone": "timestamp with time zone",
    "timestamp with time zone": "timestamp with time zone",
}
_NUMBERS = frozenset({"numeric", "integer", "smallint", "bigint", "real", "double precision"})
_ZONES = {
    "timestamp with time zone": "timestamp without time zone",
    "time with time zone": "time without time zone",
}
_PRECISION = re.compile(r"\(\d+(?:,\s*-?\d+)?\)")


@dataclass(frozen=True, slots=True)
class Loss:
    """Conditions that say the same, the first that the server can compute counts; and what is said about the rows."""

    code: str
    message: str
    conditions: tuple[str, ...]


def plain_type(kind: str) -> str:
    """A type without its numbers: `timestamp without time zone` of `timestamp(3) without time zone`."""
    return _PRECISION.sub("", kind)


def losses(name: str, old: str, new: str, converted: str, *, by_hint: bool) -> list[Loss]:
    """What may be lost when a column (quoted) of type `old` becomes `converted`, of type `new`."""
    before, after = plain_type(old), plain_type(new)
    if by_hint:
        found = _of_hint(name, before, after, new, converted)
    elif _ZONES.get(before) == after:
        found = [Loss("zone_lost", "{count} {rows} would lose the time zone", (f"{name} IS NOT NULL",))]
    elif before.endswith("[]") != after.endswith("[]") and before not in _TEXTS:
        found = [_joined(name, old, new, converted)] if after in _TEXTS else []  # a list of one, a document
    elif after in _TEXTS:
        message = Text("{new} would cut {{count}} {{rows}}", new=new)
        found = [_different("values_cut", message, name, f"{converted}::text", f"{name}::text")]
    elif after == "jsonb" and before in (*_TEXTS, "json"):
        found = [_members(name, converted)]
    elif before in _TEXTS:
        widest = _WIDEST.get(after)
        ways = [] if widest is None else [(f"{converted}::{widest}", f"{name}::{widest}")]
        found = [_different("values_lossy", _kept_less(new), name, *way) for way in ways]
    else:
        back = f"({name} IS NOT NULL AND ({converted})::{old} IS DISTINCT FROM {name})"
        texts = f"({name} IS NOT NULL AND ({converted})::text IS DISTINCT FROM {name}::text)"
        found = [Loss("values_lossy", _kept_less(new), (back, texts))]
    return found


def _kept_less(new: str) -> str:
    return f"{{count}} {{rows}} would keep less than they have as {new}"


def _different(code: str, message: str, name: str, ours: str, theirs: str) -> Loss:
    return Loss(code, message, (f"({name} IS NOT NULL AND {ours} IS DISTINCT FROM {theirs})",))


def _joined(name: str, old: str, new: str, converted: str) -> Loss:
    # A list that was joined, or cast, and cannot be taken apart again.
    apart = f"string_to_array(({converted})::text, ',')::{old} IS DISTINCT FROM {name}"
    cast = f"({converted})::text IS DISTINCT FROM {name}::text"
    return Loss("values_lossy", _kept_less(new), (f"({name} IS NOT NULL AND {cast} AND {apart})",))


def _members(name: str, converted: str) -> Loss:
    # jsonb keeps the last of members with one name; what is left is shorter, spaces aside.
    def size(value: str) -> str:
        return rf"length(regexp_replace({value}::text, '\s', '', 'g'))"

    condition = f"({name} IS NOT NULL AND {size(name)} > {size(converted)})"
    return Loss("values_lossy", "{count} {rows} {have} members with one name, of which the last is kept", (condition,))


def _of_hint(name: str, before: str, after: str, new: str, converted: str) -> list[Loss]:
    """An author's expression may mean anything; certain is what becomes NULL, shorter, rounded or the same."""
    value = f"({converted})"
    emptied = f"({name} IS NOT NULL AND {value} IS NULL)"
    found = [Loss("values_emptied", "{count} {rows} would have NULL for a value", (emptied,))]
    less = ""
    if before in _TEXTS and after in _TEXTS:
        less = f"char_length({value}::text) < char_length({name}::text)"
    elif before in _NUMBERS and after in _NUMBERS:
        less = f"({value}::numeric <> {name}::numeric AND abs({value}::numeric - {name}::numeric) < 1)"
    elif before.startswith("timestamp") and after in ("date", "time without time zone"):
        less = f"{value}::text <> {name}::text"
    if less:
        found.append(Loss("values_lossy", _kept_less(new), (less,)))
    return found


def merged(name: str, converted: str, source: str) -> Loss:
    """Different values that become one."""
    same = f"SELECT ({converted})::text FROM {source} AS m GROUP BY 1 HAVING count(DISTINCT {name}::text) > 1"
    condition = f"({name} IS NOT NULL AND ({converted})::text IN ({same}))"
    return Loss("values_merged", "{count} {rows} would have the same value as rows that differ now", (condition,))
