"""Random targets of enums, domains, sequences, views and statistics that are made of one another."""

from typing import Any

from hypothesis import strategies as st

_LABELS = ("low", "mid", "it's", "high")
_ENUMS = ("kind", "State of it")
_DOMAINS = ("word", "amount", "deep")
_COMMENTS = st.sampled_from((None, "plain", "with 'quotes'"))
_BASES = ("TEXT", "VARCHAR(9)", "INTEGER", "NUMERIC(9,2)")
Document = dict[str, Any]


def _given(**members: Any) -> Document:
    return {key: value for key, value in members.items() if value is not None}


@st.composite
def _enum(draw: st.DrawFn, name: str) -> Document:
    labels = draw(st.lists(st.sampled_from(_LABELS), unique=True, min_size=1))
    return _given(name=name, values=labels, comment=draw(_COMMENTS))


@st.composite
def _domain(draw: st.DrawFn, name: str, below: list[str]) -> Document:
    base = draw(st.sampled_from((*_BASES, *below)))
    checks = [{"name": "set", "expr": "VALUE IS NOT NULL"}, {"name": "same", "expr": "VALUE = VALUE"}]
    return _given(
        name=name,
        dataType=base + draw(st.sampled_from(("", "", "[]"))),
        nullable=draw(st.booleans()),
        comment=draw(_COMMENTS),
        checks=[check | _given(comment=draw(_COMMENTS)) for check in checks[draw(st.integers(0, 2)) :]],
    )


@st.composite
def _sequence(draw: st.DrawFn, name: str) -> Document:
    least = draw(st.integers(-5, 5))
    most = least + draw(st.integers(5, 20))
    return {
        "name": name,
        "dataType": draw(st.sampled_from(("SMALLINT", "INTEGER", "BIGINT"))),
        "minimum": least,
        "maximum": most,
        "start": draw(st.integers(least, most)),
        "increment": draw(st.sampled_from((1, 3, -1, -4))),
        "cycle": draw(st.booleans()),
        **_given(comment=draw(_COMMENTS)),
    }


@st.composite
def _column(draw: st.DrawFn, name: str, enums: list[Document], domains: list[str], counters: list[str]) -> Document:
    names = [enum["name"] for enum in enums]
    kind = draw(
        st.sampled_from(("TEXT", "INTEGER", *names, *(f"{n}[]" for n in names), *domains, *(f"{n}[]" for n in domains)))
    )
    column: Document = {"name": name, "dataType": kind}
    enum = next((enum for enum in enums if enum["name"] == kind), None)
    if enum is not None and draw(st.booleans()):
        column["default"] = draw(st.sampled_from(enum["values"]))
    elif kind == "INTEGER" and counters and draw(st.booleans()):
        column["default"] = {"expr": f"nextval('{draw(st.sampled_from(counters))}')"}
    elif kind == "TEXT" and enums and draw(st.booleans()):
        chosen = draw(st.sampled_from(enums))
        label = draw(st.sampled_from(chosen["values"])).replace("'", "''")
        column["default"] = {"expr": f"""('{label}'::"{chosen["name"]}")::text"""}
    return column


@st.composite
def _table(draw: st.DrawFn, name: str, enums: list[Document], domains: list[str], counters: list[str]) -> Document:
    columns = [draw(_column(key, enums, domains, counters)) for key in "abcd"]
    table: Document = {"name": name, "columns": [{"name": "id", "dataType": "INTEGER", "primaryKey": True}, *columns]}
    of_enums = [(c["name"], e) for c in columns for e in enums if e["name"] == c["dataType"]]
    if of_enums and draw(st.booleans()):
        key, enum = draw(st.sampled_from(of_enums))
        label = draw(st.sampled_from(enum["values"])).replace("'", "''")
        table["checks"] = [{"name": "some", "expr": f"{key} IN ('{label}') OR {key} > '{label}'"}]
        table["indexes"] = [{"name": f"{name}_some", "columns": ["id"], "where": f"{key} = '{label}'"}]
        table["uniques"] = [{"name": f"{name}_one", "columns": [key, "id"]}]
        if draw(st.booleans()):
            table["columns"].append({"name": "g", "dataType": "BOOLEAN", "generated": {"expr": f"{key} = '{label}'"}})
    return table


@st.composite
def typed_documents(draw: st.DrawFn) -> Document:
    """A valid target in which almost everything is made of something else."""
    enums = [draw(_enum(name)) for name in draw(st.lists(st.sampled_from(_ENUMS), unique=True, max_size=2))]
    domains: list[Document] = []
    for name in draw(st.lists(st.sampled_from(_DOMAINS), unique=True, max_size=3)):
        simple = [item["name"] for item in domains if not item["dataType"].endswith("[]")]
        domains.append(draw(_domain(name, [*(enum["name"] for enum in enums), *simple])))
    sequences = [draw(_sequence(name)) for name in draw(st.lists(st.sampled_from(("s1", "s2")), unique=True))]
    counters = [item["name"] for item in sequences]
    names = draw(st.lists(st.sampled_from(("t", "u")), unique=True, min_size=1))
    tables = [draw(_table(name, enums, [item["name"] for item in domains], counters)) for name in names]
    for item in sequences:
        if draw(st.booleans()):
            item["ownedBy"] = {"table": draw(st.sampled_from(names)), "column": "id"}
    views: list[Document] = []
    for name in draw(st.lists(st.sampled_from(("v", "w", "m")), unique=True)):
        source = draw(st.sampled_from([*names, *(view["name"] for view in views)]))
        shown = draw(st.permutations(("id", "a", "b")))[: draw(st.integers(1, 3))]
        if "id" not in shown:
            shown = ("id", *shown)
        available = next((view["_shown"] for view in views if view["name"] == source), None)
        shown = tuple(key for key in shown if available is None or key in available)
        views.append(
            _given(
                name=name,
                query=f"SELECT {', '.join(shown)} FROM {source}",
                materialized=draw(st.booleans()) or None,
                comment=draw(_COMMENTS),
                columns=[{"name": "id", "comment": "key"}] if draw(st.booleans()) else None,
            )
            | {"_shown": shown}
        )
    for view in views:
        view.pop("_shown")
    statistics = [
        {"name": f"{name}_{'_'.join(pair)}", "table": name, "columns": list(pair)}
        for name in names
        for pair in draw(st.lists(st.sampled_from((("id", "a"), ("a", "b"))), unique=True))
        if all(c["dataType"] != "JSON" for c in next(t for t in tables if t["name"] == name)["columns"])
    ]
    return {
        "enums": enums,
        "domains": draw(st.permutations(domains)),
        "sequences": sequences,
        "tables": tables,
        "views": draw(st.permutations(views)),
        "statistics": statistics,
    }
