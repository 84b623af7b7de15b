"""Random target documents: pairs that share names, so that everything between them can change."""

from typing import Any

from hypothesis import strategies as st

_TYPES = ("INTEGER", "BIGINT", "TEXT", "VARCHAR(40)", "NUMERIC(12,2)", "BOOLEAN", "TIMESTAMP", "DATE", "JSONB", "UUID")
_DEFAULTS: dict[str, Any] = {
    "INTEGER": 7,
    "BIGINT": {"expr": "3 * 4"},
    "TEXT": "it's",
    "VARCHAR(40)": 'say "hi" 100%',
    "NUMERIC(12,2)": 1.5,
    "BOOLEAN": True,
    "TIMESTAMP": {"expr": "now()"},
    "DATE": "2026-01-31",
    "JSONB": {"value": {"a": [1, 2]}},
    "UUID": {"expr": "gen_random_uuid()"},
}
# Names that must be quoted are as good as others.
_TABLES = ("people", "Orders", "select", "line items", "log")
_COLUMNS = ("a", "b", "Mixed", "user", "d e", "ünï")
_LABELS = ("new", "it's", "Done", "a b")
_COMMENTS = st.sampled_from((None, "plain", "with 'quotes'\nand lines"))


@st.composite
def columns(draw: st.DrawFn, enums: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"name": "id", "dataType": draw(st.sampled_from(("BIGINT", "INTEGER")))}]
    found[0] |= {"primaryKey": True, "identity": True}
    for name in draw(st.lists(st.sampled_from(_COLUMNS), unique=True, max_size=5)):
        kind = draw(st.sampled_from((*_TYPES, *enums, "TEXT[]")))
        column: dict[str, Any] = {"name": name, "dataType": kind, "comment": draw(_COMMENTS)}
        column["statistics"] = draw(st.sampled_from((None, None, 50)))
        if kind in ("TEXT", "JSONB"):
            column["storage"] = draw(st.sampled_from((None, "external")))
        if kind in _DEFAULTS and draw(st.booleans()):
            column |= {"default": _DEFAULTS[kind], "nullable": draw(st.booleans())}
        elif kind in ("INTEGER", "BIGINT") and draw(st.booleans()):
            column["generated"] = {"expr": "id * 2"}
        found.append({key: value for key, value in column.items() if value is not None})
    return found


@st.composite
def tables(draw: st.DrawFn, name: str, enums: list[str]) -> dict[str, Any]:
    table: dict[str, Any] = {"name": name, "columns": draw(columns(enums)), "comment": draw(_COMMENTS)}
    names = [column["name"] for column in table["columns"]]
    plain = [column["name"] for column in table["columns"] if column["dataType"] not in ("JSONB", "TEXT[]")]
    if draw(st.booleans()):
        table["indexes"] = [
            {"keys": [{"column": draw(st.sampled_from(plain)), "order": draw(st.sampled_from(("asc", "desc")))}]},
            {"columns": ["id"], "where": "id > 5", "include": [draw(st.sampled_from(names))], "unique": True},
        ][: draw(st.integers(1, 2))]
    if draw(st.booleans()):
        table["checks"] = [{"expr": draw(st.sampled_from(("id > 0", "id >= 0", "id IS NOT NULL AND id <> -1")))}]
    if draw(st.booleans()):
        table["uniques"] = [{"columns": ["id", draw(st.sampled_from(plain))][: draw(st.integers(1, 2))]}]
        table["uniques"][0]["columns"] = list(dict.fromkeys(table["uniques"][0]["columns"]))
        table["uniques"][0]["nullsDistinct"] = draw(st.booleans())
    if draw(st.booleans()):
        table["options"] = {"fillfactor": draw(st.sampled_from((70, 90)))}
    return {key: value for key, value in table.items() if value is not None}


@st.composite
def sequences(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(("counter", "Next one")), unique=True, max_size=2))
    return [
        {"name": name, "start": draw(st.integers(1, 3)), "cycle": draw(st.booleans()), "cache": draw(st.integers(1, 2))}
        for name in names
    ]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A valid target with tables, enums, circular foreign keys and views."""
    enums = draw(st.lists(st.sampled_from(("mood", "State of it")), unique=True, max_size=2))
    names = draw(st.lists(st.sampled_from(_TABLES), unique=True, min_size=1, max_size=4))
    document: dict[str, Any] = {
        "enums": [
            {"name": name, "values": draw(st.lists(st.sampled_from(_LABELS), unique=True, min_size=1))}
            for name in enums
        ],
        "tables": [draw(tables(name, enums)) for name in names],
        "relationships": [],
        "views": [],
        "sequences": draw(sequences()),
    }
    kinds = {table["name"]: table["columns"][0]["dataType"] for table in document["tables"]}
    for name in names:
        other = draw(st.sampled_from(names))
        if kinds[other] == kinds[name] and draw(st.booleans()):
            ends = {"fk": {"table": name, "column": "id"}, "references": {"table": other, "column": "id"}}
            action = draw(st.sampled_from(("cascade", "no action", "restrict")))
            deferred = draw(st.booleans())
            document["relationships"].append({**ends, "onDelete": action, "initiallyDeferred": deferred})
    if draw(st.booleans()):
        table = draw(st.sampled_from(document["tables"]))
        chosen = draw(st.sampled_from(table["columns"]))["name"]
        quoted = chosen.replace('"', '""')
        query = f'SELECT id, "{quoted}" AS chosen FROM "{table["name"]}" WHERE id > 1'
        document["views"].append({"name": "seen", "query": query, "options": {"security_barrier": draw(st.booleans())}})
        if draw(st.booleans()):
            document["views"].append(
                {"name": "counted", "query": "SELECT count(*) AS n FROM seen", "materialized": True}
            )
    return document
