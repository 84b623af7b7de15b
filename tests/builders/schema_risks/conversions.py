"""Changes of a column's type: from, to, rows, and whether they keep what they hold."""

from typing import Any

from tests.builders.schema_risks.label import Label, col, doc, filled, tab

# (old type, new type, values, loses[, respelled])
_KEEPING: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("varchar(10)", "VARCHAR(20)", ("'abc'",)),
    ("varchar(10)", "TEXT", ("'abc'",)),
    ("text", "VARCHAR(10)", ("'abc'", "'abcdefghij'")),
    ("varchar(200)", "VARCHAR(100)", ("'short'", "NULL")),
    ("char(5)", "TEXT", ("'abc'",)),
    ("integer", "BIGINT", ("1", "-7")),
    ("smallint", "INTEGER", ("1",)),
    ("bigint", "INTEGER", ("7", "2147483647")),
    ("integer", "NUMERIC(12,2)", ("1", "999")),
    ("integer", "TEXT", ("1", "NULL")),
    ("integer", "DOUBLE PRECISION", ("1",)),
    ("numeric(10,4)", "NUMERIC(10,2)", ("1.5000", "2.25")),
    ("numeric(10,2)", "NUMERIC(12,2)", ("1.50",)),
    ("numeric(10,2)", "NUMERIC", ("1.50",)),
    ("numeric(10,2)", "INTEGER", ("3.00",)),
    ("numeric", "DOUBLE PRECISION", ("0.5", "1024")),
    ("real", "DOUBLE PRECISION", ("0.1",)),
    ("double precision", "INTEGER", ("3",)),
    ("double precision", "NUMERIC", ("0.25",)),
    ("bigint", "DOUBLE PRECISION", ("9007199254740992",)),
    ("timestamp", "DATE", ("'2026-01-31'",)),
    ("timestamp", "TIMESTAMP(0)", ("'2026-01-31 10:00:00'",)),
    ("timestamp(0)", "TIMESTAMP", ("'2026-01-31 10:00:00'",)),
    ("date", "TIMESTAMP", ("'2026-01-31'",)),
    ("time", "TIME(0)", ("'10:00:01'",)),
    ("boolean", "INTEGER", ("true", "false")),
    ("integer", "BOOLEAN", ("0", "1")),
    ("uuid", "TEXT", ("gen_random_uuid()",)),
    ("text", "UUID", ("'3b9a1e0c-6f0e-4e43-9a35-0f2f9a5c1d11'",)),
    ("text", "INTEGER", ("'42'", "NULL")),
    ("text", "DATE", ("'2026-01-31'",)),
    ("text", "JSONB", ("""'{"a": 1}'""",)),
    ("json", "JSONB", ("""'{"a": 1, "b": [1, 2]}'""",)),
    ("jsonb", "TEXT", ("""'{"a": 1}'""",)),
    ("varchar(20)[]", "TEXT[]", ("'{a,b}'",)),
    ("integer[]", "BIGINT[]", ("'{1,2}'",)),
    ("inet", "CIDR", ("'10.0.0.0/8'",)),
    ("bit(4)", "BIT VARYING(8)", ("B'1010'",)),
    ("interval", "TEXT", ("'1 day'",)),
)
_LOSING: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("text", "VARCHAR(10)", ("'abc'", "'abcdefghijk'")),
    ("varchar(20)", "VARCHAR(5)", ("'abcdef'",)),
    ("text", "CHAR(3)", ("'abcd'",)),
    ("text", "CHAR(4)", ("'ab  '",)),
    ("integer", "VARCHAR(2)", ("123",)),
    ("uuid", "VARCHAR(8)", ("gen_random_uuid()",)),
    ("numeric(10,4)", "NUMERIC(10,2)", ("1.2345", "2.25")),
    ("numeric", "INTEGER", ("3.5",)),
    ("numeric", "DOUBLE PRECISION", ("0.12345678901234567890",)),
    ("numeric", "REAL", ("16777217",)),
    ("double precision", "INTEGER", ("3.25",)),
    ("double precision", "REAL", ("0.1234567890123",)),
    ("double precision", "NUMERIC(6,2)", ("0.125",)),
    ("bigint", "DOUBLE PRECISION", ("9007199254740993",)),
    ("bigint", "REAL", ("16777217",)),
    ("integer", "REAL", ("16777217",)),
    ("integer", "BOOLEAN", ("0", "7")),
    ("timestamp", "DATE", ("'2026-01-31 10:00'",)),
    ("timestamp", "TIME", ("'2026-01-31 10:00'",)),
    ("timestamp", "TIMESTAMP(0)", ("'2026-01-31 10:00:00.25'",)),
    ("timestamptz", "DATE", ("'2026-01-31 10:00+00'",)),
    ("timestamptz", "TIMESTAMPTZ(0)", ("'2026-01-31 10:00:00.25+00'",)),
    ("time", "TIME(0)", ("'10:00:01.5'",)),
    ("text", "NUMERIC(10,1)", ("'3.14'",)),
    ("text", "REAL", ("'3.14159265358979'",)),
    ("text", "DATE", ("'2026-01-31 10:00'",)),
    ("json", "JSONB", ("""'{"a": 1, "a": 2}'""",)),
    ("text[]", "VARCHAR(2)[]", ("'{abc,d}'",)),
    ("numeric[]", "INTEGER[]", ("'{1.5}'",)),
    ("inet", "CIDR", ("'10.1.2.3/8'",)),
    ("bit(8)", "BIT(4)", ("B'10101010'",)),
)
# What an observer who compares texts sees otherwise.
_RESPELLED: tuple[tuple[str, str, tuple[str, ...], bool], ...] = (
    ("text", "BOOLEAN", ("'yes'", "'no'"), False),
    ("text", "INTEGER", ("'007'",), False),
    ("text", "TIMESTAMP", ("'2026-01-31'",), False),
    ("text", "NUMERIC(10,2)", ("'3.1'",), False),
    ("json", "JSONB", ("""'{"b":1,   "a":2}'""",), False),
    ("timestamptz", "TIMESTAMP", ("'2026-01-31 10:00+05'",), True),
    ("integer", "BIGINT[]", ("7",), False),
    ("text", "TEXT[]", ("'a,b'",), False),
    ("text[]", "TEXT", ("'{a,b}'",), False),
    ("integer[]", "JSONB", ("'{1,2}'",), False),
    ("timetz", "TIME", ("'10:00+05'",), True),
)
_JOINED = {"a list whose members hold what joins them": ("text[]", "TEXT", ("'{\"a,b\",c}'",))}
_FAILING: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("text", "INTEGER", ("'42'", "'forty-two'")),
    ("text", "DATE", ("'31.31.2026'",)),
    ("text", "UUID", ("'no uuid'",)),
    ("bigint", "INTEGER", ("2147483648",)),
    ("integer", "SMALLINT", ("40000",)),
    ("numeric", "NUMERIC(4,2)", ("123.4",)),
    ("text", "JSONB", ("'{'",)),
)
# (old type, new type, using, values, loses)
_BY_HINT: tuple[tuple[str, str, str, tuple[str, ...], bool], ...] = (
    ("text", "TEXT[]", "string_to_array(v, ',')", ("'a,b'", "'c'"), False),
    ("text", "INTEGER", "length(v)", ("'a'", "'bb'"), False),
    ("text", "INTEGER", "length(v)", ("'aa'", "'bb'"), True),
    ("text", "VARCHAR(3)", "left(v, 3)", ("'abcdef'",), True),
    ("text", "INTEGER", "nullif(v, 'unknown')::integer", ("'1'", "'unknown'"), True),
    ("integer", "BIGINT", "v * 100", ("1", "2"), False),
    ("numeric", "INTEGER", "round(v)::integer", ("1.4",), True),
    ("numeric", "INTEGER", "(v * 100)::integer", ("1.25",), False),
    ("timestamp", "DATE", "v::date", ("'2026-01-31 10:00'",), True),
    ("integer", "BOOLEAN", "v > 0", ("0", "1"), False),
    ("integer", "BOOLEAN", "v > 0", ("1", "2"), True),
)


def _label(old: str, new: str, values: tuple[str, ...], hint: str | None = None, **more: Any) -> Label:
    column = col("v", new) if hint is None else col("v", new, using=hint)
    return Label(filled(f"v {old}", *values), doc(tab("t", column)), **more)


CONVERSIONS: dict[str, Label] = {
    **{f"{old} to {new}, kept": _label(old, new, values) for old, new, values in _KEEPING},
    **{f"{old} to {new}, {values[-1]}": _label(old, new, values, loses=True) for old, new, values in _LOSING},
    **{
        f"{old} to {new}, spelled otherwise": _label(old, new, values, loses=loses, respelled=True)
        for old, new, values, loses in _RESPELLED
    },
    **{name: _label(*joined, loses=True, respelled=True) for name, joined in _JOINED.items()},
    **{f"{old} to {new}, does not fit": _label(old, new, values, fails=True) for old, new, values in _FAILING},
    **{
        f"{old} to {new} by {hint} of {values[0]}": _label(old, new, values, hint, loses=loses, respelled=True)
        for old, new, hint, values, loses in _BY_HINT
    },
}
