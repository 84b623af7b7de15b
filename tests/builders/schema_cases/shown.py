"""Views where they stand: replaced, changed, or made again with all that reads them."""

from typing import Any

from dataforge.contexts.schemas.plans.domain.changes import Risk
from tests.builders.schema_cases.case import Case, tables

Document = dict[str, Any]
START = "CREATE TABLE t (id int PRIMARY KEY, a text, b int); INSERT INTO t VALUES (1, 'x', 2);"
T: Document = {
    "name": "t",
    "columns": [
        {"name": "id", "dataType": "INTEGER"},
        {"name": "a", "dataType": "TEXT"},
        {"name": "b", "dataType": "INTEGER"},
    ],
    "primaryKey": {"name": "t_pkey", "columns": ["id"]},
}


def view(name: str, query: str, **more: Any) -> Document:
    return {"name": name, "query": query, **more}


def shows(query: str, *rows: tuple[Any, ...]) -> tuple[str, list[tuple[Any, ...]]]:
    return (query, list(rows))


CASES: dict[str, Case] = {
    "a view that shows more at its end": Case(
        START + "CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM v;"
        "COMMENT ON VIEW v IS 'it''s'; COMMENT ON COLUMN v.id IS 'key'",
        tables(
            T,
            views=[
                view("w", "SELECT id FROM v"),
                view("v", "SELECT id, a FROM t", comment="it's", columns=[{"name": "id", "comment": "key"}]),
            ],
        ),
        {"replace view"},
        keeps=shows("SELECT * FROM v", (1, "x")),
        back=shows("SELECT * FROM w", (1,)),
    ),
    "a view that shows more between": Case(
        START + "CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW w AS SELECT a FROM v;"
        "CREATE MATERIALIZED VIEW m AS SELECT a FROM w; CREATE UNIQUE INDEX u ON m (a);"
        "COMMENT ON COLUMN v.a IS 'va'; COMMENT ON COLUMN w.a IS 'wa'; COMMENT ON COLUMN m.a IS 'ma';"
        "COMMENT ON MATERIALIZED VIEW m IS 'm'; COMMENT ON INDEX u IS 'u';"
        "ALTER MATERIALIZED VIEW m ALTER COLUMN a SET STATISTICS 50",
        tables(
            T,
            views=[
                view("v", "SELECT id, b, a FROM t", columns=[{"name": "a", "comment": "va"}]),
                view("w", "SELECT a FROM v", columns=[{"name": "a", "comment": "wa"}]),
                view(
                    "m",
                    "SELECT a FROM w",
                    materialized=True,
                    comment="m",
                    columns=[{"name": "a", "comment": "ma", "statistics": 50}],
                    indexes=[{"name": "u", "columns": ["a"], "unique": True, "comment": "u"}],
                ),
            ],
        ),
        {"rebuild view", "rebuild materialized view"},
        keeps=shows("SELECT a FROM m", ("x",)),
        back=shows("SELECT a FROM m", ("x",)),
    ),
    "a view of something else": Case(
        START + "CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM v",
        tables(T, views=[view("v", "SELECT id FROM t WHERE id > 1"), view("w", "SELECT id FROM v")]),
        {"replace view"},
        keeps=shows("SELECT * FROM w"),
        back=shows("SELECT * FROM w", (1,)),
    ),
    "options of a view": Case(
        START + "CREATE VIEW v WITH (security_invoker = on) AS SELECT id FROM t WHERE id > 0 WITH LOCAL CHECK OPTION",
        tables(
            T,
            views=[
                view(
                    "v",
                    "SELECT id FROM t WHERE id > 0",
                    options={"check_option": "cascaded", "security_barrier": True},
                )
            ],
        ),
        {"change view"},
        keeps=shows("SELECT * FROM v", (1,)),
    ),
    "options and the query of a view": Case(
        START + "CREATE VIEW v WITH (security_invoker) AS SELECT id FROM t WHERE id > 0 WITH LOCAL CHECK OPTION",
        tables(T, views=[view("v", "SELECT id, b FROM t", options={"security_barrier": True})]),
        {"replace view"},
        keeps=shows("SELECT reloptions FROM pg_class WHERE oid = 'v'::regclass", (["security_barrier=true"],)),
    ),
    "options of a view in other words": Case(
        START + "CREATE VIEW v WITH (security_barrier = on, security_invoker = 0, check_option = 'LOCAL') AS"
        " SELECT id FROM t",
        tables(
            T,
            views=[
                view(
                    "v",
                    "SELECT id FROM t",
                    options={"security_barrier": True, "security_invoker": False, "check_option": "local"},
                )
            ],
        ),
        set(),
    ),
    "a default and comments of a view's columns": Case(
        START + "CREATE VIEW v AS SELECT id, a FROM t; ALTER VIEW v ALTER a SET DEFAULT 'q';"
        "COMMENT ON COLUMN v.a IS 'old'",
        tables(
            T,
            views=[
                view(
                    "v",
                    "SELECT id, a FROM t",
                    columns=[{"name": "id", "default": 7, "comment": "it's"}, {"name": "a", "comment": ""}],
                )
            ],
        ),
        {"change view"},
        keeps=shows("INSERT INTO v (a) VALUES ('y') RETURNING id", (7,)),
        risks={"view v": Risk.SAFE},
    ),
    "a default of a view's column, kept when it is made again": Case(
        START + "CREATE VIEW v AS SELECT id, a FROM t; ALTER VIEW v ALTER id SET DEFAULT 7",
        tables(
            T | {"columns": [T["columns"][0] | {"dataType": "BIGINT"}, *T["columns"][1:]]},
            views=[view("v", "SELECT id, a FROM t", columns=[{"name": "id", "default": 7}])],
        ),
        {"rebuild view", "change type"},
        keeps=shows("INSERT INTO v (a) VALUES ('y') RETURNING id", (7,)),
    ),
    "views that show columns named like one another": Case(
        START + "CREATE VIEW a AS SELECT id AS b FROM t; CREATE VIEW b AS SELECT id AS a FROM t",
        tables(
            T,
            views=[
                view("b", "SELECT A.b AS a FROM A"),
                view("c", "SELECT B.a FROM t, B"),
                view("a", "SELECT id AS b FROM t"),
            ],
        ),
        {"replace view", "create view"},
        keeps=shows("SELECT a FROM b", (1,)),
    ),
    "views that read each other the other way round": Case(
        START + "CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM v",
        tables(T, views=[view("v", "SELECT id FROM w"), view("w", "SELECT id FROM t")]),
        {"replace view"},
        keeps=shows("SELECT * FROM v", (1,)),
        back=shows("SELECT * FROM w", (1,)),
    ),
    "storage of a view that is kept as rows": Case(
        START + "CREATE MATERIALIZED VIEW m WITH (fillfactor = 70) AS SELECT id FROM t",
        tables(
            T,
            views=[view("m", "SELECT id FROM t", materialized=True, options={"autovacuum_enabled": False})],
        ),
        {"change materialized view"},
        keeps=shows("SELECT * FROM m", (1,)),
    ),
    "another query of a view that is kept as rows": Case(
        START + "CREATE MATERIALIZED VIEW m AS SELECT id FROM t; CREATE VIEW v AS SELECT id FROM m",
        tables(
            T,
            views=[
                view("m", "SELECT id, a FROM t", materialized=True, indexes=[{"name": "i", "columns": ["a"]}]),
                view("v", "SELECT id FROM m"),
            ],
        ),
        {"rebuild materialized view", "rebuild view"},
        keeps=shows("SELECT m.a, v.id FROM m, v", ("x", 1)),
        back=shows("SELECT id FROM v", (1,)),
    ),
    "an index of a view that is kept as rows": Case(
        START + "CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t; CREATE INDEX i ON m (a)",
        tables(
            T,
            views=[view("m", "SELECT id, a FROM t", materialized=True, indexes=[{"name": "j", "columns": ["a"]}])],
        ),
        {"rename index"},
        keeps=shows("SELECT id FROM m", (1,)),
    ),
    "a view that comes to be kept as rows": Case(
        START + "CREATE VIEW m AS SELECT id FROM t; CREATE VIEW v AS SELECT id FROM m",
        tables(T, views=[view("m", "SELECT id FROM t", materialized=True), view("v", "SELECT id FROM m")]),
        {"rebuild view", "create materialized view"},
        keeps=shows("SELECT id FROM v", (1,)),
        back=shows("SELECT id FROM v", (1,)),
    ),
    "a view that becomes a table": Case(
        START + "CREATE VIEW m AS SELECT id FROM t; CREATE VIEW v AS SELECT id FROM m",
        tables(
            T,
            {"name": "m", "columns": [{"name": "id", "dataType": "INTEGER"}]},
            views=[view("v", "SELECT id FROM m")],
        ),
        {"drop view", "create table"},
        keeps=shows("SELECT id FROM t", (1,)),
        destroys={"view m"},
        back=shows("SELECT id FROM v", (1,)),
    ),
    "another name of a view and of what it shows": Case(
        START + "CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW w AS SELECT a FROM v",
        tables(
            T,
            views=[
                view("people", "SELECT id, a AS name FROM t", previousName="v"),
                view("w", "SELECT name AS a FROM people"),
            ],
        ),
        {"rename view", "rebuild view"},
        keeps=shows("SELECT a FROM w", ("x",)),
        back=shows("SELECT a FROM w", ("x",)),
    ),
    "a column less below a view that shows it no more": Case(
        START + "CREATE VIEW v AS SELECT id, b FROM t",
        tables(T | {"columns": T["columns"][:2]}, views=[view("v", "SELECT id, 1 AS b FROM t")]),
        {"drop column", "rebuild view"},
        keeps=shows("SELECT * FROM v", (1, 1)),
        destroys={"column t.b"},
    ),
    "a column more below a view of all columns": Case(
        START + "CREATE VIEW v AS SELECT * FROM t",
        tables(
            T | {"columns": [*T["columns"], {"name": "c", "dataType": "DATE"}]},
            views=[view("v", "SELECT * FROM t")],
        ),
        {"add column", "replace view"},
        keeps=shows("SELECT * FROM v", (1, "x", 2, None)),
        back=shows("SELECT * FROM v", (1, "x", 2)),
    ),
    "a type below a view that reads itself": Case(
        START + "CREATE RECURSIVE VIEW v (id, n) AS SELECT id, 1 FROM t UNION ALL SELECT id + 1, n + 1 FROM v"
        " WHERE n < 3",
        tables(
            T | {"columns": [T["columns"][0] | {"dataType": "BIGINT"}, *T["columns"][1:]]},
            views=[
                view(
                    "v",
                    "WITH RECURSIVE v (id, n) AS (SELECT id, 1 FROM t UNION ALL SELECT id + 1, n + 1 FROM v WHERE"
                    " n < 3) SELECT id, n FROM v",
                )
            ],
        ),
        {"rebuild view", "change type"},
        keeps=shows("SELECT id FROM v ORDER BY 1", (1,), (2,), (3,)),
    ),
    "another key below a view that groups by it": Case(
        START + "CREATE VIEW v AS SELECT id, a, count(*) AS n FROM t GROUP BY id",
        tables(
            T | {"primaryKey": {"name": "t_pkey", "columns": ["id", "b"]}},
            views=[view("v", "SELECT id, a, count(*) AS n FROM t GROUP BY id, a")],
        ),
        {"drop primary key", "rebuild view"},
        keeps=shows("SELECT * FROM v", (1, "x", 1)),
        back=shows("SELECT * FROM v", (1, "x", 1)),
    ),
}
