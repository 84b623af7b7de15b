"""Names that must be quoted, wherever a name may stand."""

from typing import Any

from tests.builders.schema_cases.case import Case, tables

Document = dict[str, Any]
PAIRS = {
    "a keyword": ("select", "table"),
    "quotes": ('we"ird', 'a""b"'),
    "a space and a dot": ("line items", "public.items"),
    "capitals": ("Orders", "ORDERS"),
    "names that are alike but for their case": ("orders", "Orders"),
    "letters of other scripts": ("Prüfung", "試験"),
    "sixty-three bytes": ("x" * 63, "é" * 31),
    "an apostrophe": ("it's", "don''t"),
    "what looks like SQL": ('a"; DROP TABLE t; --', "/* a */"),
    "what looks like a placeholder": ("%s", ":name"),
    "a backslash and a line": ("a\\b", "a\nb"),
    "a digit first": ("1st", "2nd"),
    "spaces around": (" a", "a "),
    "a face": ("🙂", "🙃"),
}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def document(name: str, other: str) -> Document:
    """Everything that has a name has this one or the other."""
    here = quoted(name)
    return {
        "enums": [{"id": "e", "name": "kind", "values": [{"id": "l", "name": name}, "none"], "comment": other}],
        "domains": [{"id": "d", "name": "word", "dataType": "TEXT", "checks": [{"name": name, "expr": "VALUE <> ''"}]}],
        "tables": [
            {
                "id": "t",
                "name": name,
                "columns": [
                    {"id": "c", "name": name, "dataType": "INTEGER", "comment": other},
                    {"id": "n", "name": "n", "dataType": "word", "default": other},
                    {"id": "k", "name": "k", "dataType": "kind", "default": name},
                    {"id": "g", "name": "g", "dataType": "INTEGER", "generated": f"{here} * 2"},
                ],
                "primaryKey": {"name": "key", "columns": [name]},
                "checks": [{"name": other, "expr": f"{here} > 0"}],
                "indexes": [{"name": "i", "columns": [name, "n"]}, {"name": "j", "keys": [{"expr": f"{here} + 1"}]}],
                "comment": other,
            },
            {"id": "o", "name": "t", "columns": [{"id": "oc", "name": other, "dataType": "INTEGER"}]},
        ],
        "relationships": [
            {"name": name, "fk": {"table": "t", "column": other}, "references": {"table": name, "column": name}}
        ],
        "views": [{"name": "v", "query": f"SELECT {here} FROM {here}", "columns": [{"name": name, "comment": other}]}],
        "statistics": [{"name": name, "table": name, "columns": [name, "n"]}],
    }


def _case(name: str, other: str) -> Case:
    here, there = quoted(name), quoted(other)
    return Case(
        document(name, other),
        document(other, name),
        {"rename table", "rename column", "rename value"},
        f"INSERT INTO {here} ({here}) VALUES (7); INSERT INTO t ({there}) VALUES (7)",
        keeps=(f"SELECT {there}, k::text FROM {there}", [(7, other)]),
        back=(f"SELECT {here}, k::text, n FROM {here}", [(7, name, other)]),
    )


def _started_by_sql(name: str, other: str) -> Case:
    here, there = quoted(name), quoted(other)
    plain = {"name": "t", "columns": [{"name": name, "dataType": "INTEGER"}, {"name": other, "dataType": "TEXT"}]}
    return Case(
        f"CREATE TABLE t ({here} int); INSERT INTO t VALUES (7)",
        tables(plain | {"comment": name, "indexes": [{"name": other, "columns": [other]}]}),
        {"add column", "create index"},
        keeps=(f"SELECT {here}, {there} FROM t", [(7, None)]),
        back=(f"SELECT {here} FROM t", [(7,)]),
    )


CASES: dict[str, Case] = {
    **{f"{what} in names of everything": _case(*pair) for what, pair in PAIRS.items()},
    **{f"{what} in a new name": _started_by_sql(*pair) for what, pair in PAIRS.items()},
}
