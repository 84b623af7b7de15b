"""Type names: what PostgreSQL has, what designers write, and what somebody may have meant."""

import re
from collections.abc import Collection
from difflib import get_close_matches

from dataforge.kernel.texts import Text

_TYPE_NAMES = (
    "smallint integer bigint numeric real money boolean text bytea uuid json jsonb xml date interval inet cidr "
    "macaddr macaddr8 point line lseg box path polygon circle tsvector tsquery int4range int8range numrange "
    "daterange tsrange tstzrange int4multirange int8multirange nummultirange datemultirange tsmultirange "
    "tstzmultirange bit jsonpath name oid pg_lsn xid8 tid pg_snapshot txid_snapshot refcursor regclass regtype regproc "
    "regprocedure regoper regoperator regrole regnamespace regconfig regdictionary regcollation"
)
_CANONICAL = {name: name for name in _TYPE_NAMES.split()}
ALIASES = _CANONICAL | {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "serial": "integer",
    "serial2": "smallint",
    "serial4": "integer",
    "serial8": "bigint",
    "smallserial": "smallint",
    "bigserial": "bigint",
    "decimal": "numeric",
    "dec": "numeric",
    "bool": "boolean",
    "float": "double precision",
    "float4": "real",
    "float8": "double precision",
    "double": "double precision",
    "double precision": "double precision",
    "varchar": "character varying",
    "character varying": "character varying",
    "char varying": "character varying",
    "char": "character",
    "character": "character",
    "bpchar": "bpchar",
    "nchar": "character",
    "national character": "character",
    "national character varying": "character varying",
    '"char"': '"char"',
    "string": "text",
    "varbit": "bit varying",
    "bit varying": "bit varying",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "timestamptz": "timestamptz",
    "datetime": "timestamp",
    "time": "time",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "timetz": "timetz",
}
_FIELDS = ("year", "month", "day", "hour", "minute", "year to month", "day to hour", "day to minute", "hour to minute")
_WITH_SECONDS = ("second", "day to second", "hour to second", "minute to second")
_INTERVALS = {f"interval {fields}" for fields in (*_FIELDS, *_WITH_SECONDS)}
SERIALS = frozenset({"serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"})
_ONE_NUMBER = frozenset(
    {"character varying", "character", "bit", "bit varying", "timestamp", "timestamptz", "time", "timetz", "interval"}
)
_FORM = re.compile(
    r"(?P<head>[A-Za-z_][A-Za-z0-9_ ]*?|\"(?:[^\"]|\"\")+\")\s*"
    r"(?:\(\s*(?P<first>\d+)\s*(?:,\s*(?P<second>-?\d+)\s*)?\))?"
    r"(?P<tail>\s+with(?:out)?\s+time\s+zone)?\s*(?P<arrays>(?:\[\s*\d*\s*\]\s*)*)",
    re.IGNORECASE,
)

_ARRAY = re.compile(r"\s+ARRAY(?:\s*\[\s*\d+\s*\])?$", re.IGNORECASE)


class UnknownType(ValueError):
    """The text names no type that may be used; the message says what was probably meant."""


def resolve_type(text: str, own: Collection[str]) -> tuple[str, str | None, bool]:
    """SQL of a type, the enum or domain of the schema it names, and whether it counts by itself (serial).

    Raises UnknownType.
    """
    whole = " ".join(text.split())
    if whole in own:
        return '"' + whole.replace('"', '""') + '"', whole, False
    whole = _ARRAY.sub("[]", whole.removeprefix("pg_catalog."))
    matched = _FORM.fullmatch(whole)
    if matched is None:
        message = Text(
            "{text!r} is not a type; write a name, with numbers in parentheses and [] for an array", text=text[:100]
        )
        raise UnknownType(message)
    head, arrays = matched["head"], "[]" * matched["arrays"].count("[")
    plain = head[1:-1].replace('""', '"') if head.startswith('"') else head
    if plain in own and matched["first"] is None and not matched["tail"]:
        return '"' + plain.replace('"', '""') + '"' + arrays, plain, False
    name = " ".join((head + (matched["tail"] or "")).lower().split())
    if name in _INTERVALS:
        return _interval(name, matched["first"], text) + arrays, None, False
    canonical = ALIASES.get(name)
    if canonical is None:
        raise UnknownType(_unknown(plain, own))
    return _with_numbers(canonical, matched["first"], matched["second"], text) + arrays, None, name in SERIALS


def _interval(name: str, first: str | None, text: str) -> str:
    if first is None:
        return name
    if not name.endswith("second"):
        message = Text("{text!r}: an interval without seconds takes no number", text=text)
        raise UnknownType(message)
    return f"{name}({first})"


def _with_numbers(canonical: str, first: str | None, second: str | None, text: str) -> str:
    if first is None:
        return canonical
    if second is None and canonical == "bpchar":
        return f"character({first})"
    if second is None and " ".join(text.split()).lower().startswith("float("):
        return "real" if int(first) <= 24 else canonical
    if second is not None and canonical != "numeric":
        message = Text("{text!r}: {canonical} takes one number at most", text=text, canonical=canonical)
        raise UnknownType(message)
    if canonical not in _ONE_NUMBER and canonical != "numeric":
        message = Text("{text!r}: {canonical} takes no number in parentheses", text=text, canonical=canonical)
        raise UnknownType(message)
    return f"{canonical}({first})" if second is None else f"{canonical}({first},{second})"


def _unknown(name: str, own: Collection[str]) -> str:
    near = get_close_matches(name.lower(), [*ALIASES, *own], n=1, cutoff=0.6)
    meant = f', did you mean "{near[0]}"?' if near else ""
    return f'unknown type "{name}"{meant}'
