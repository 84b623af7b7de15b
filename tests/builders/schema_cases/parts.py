"""Parts of partitioned tables that come, go and change places with their rows, from SQL to SQL."""

from tests.builders.schema_cases.case import Case

_LOG = "CREATE TABLE log (day date NOT NULL, said text) PARTITION BY RANGE (day);"
_ROWS = "INSERT INTO log VALUES ('2025-03-01', 'a'), ('2025-09-01', 'b'), ('2026-05-01', 'c')"
_KEPT = ("SELECT said FROM log ORDER BY said", [("a",), ("b",), ("c",)])
_OF_2025 = ("SELECT said FROM log_2025 ORDER BY said", [("a",), ("b",)])


def part(name: str, bound: str, of: str = "log", more: str = "") -> str:
    bound = bound if bound == "DEFAULT" else f"FOR VALUES {bound}"
    return f"CREATE TABLE {name} PARTITION OF {of} {bound}{more};"


def years(first: int, last: int, name: str = "") -> str:
    return part(name or f"log_{first}", f"FROM ('{first}-01-01') TO ('{last}-01-01')")


_BOTH = years(2025, 2026) + years(2026, 2027)


def moved(before: str, after: str, *operations: str, keeps: object = _KEPT, rows: str = _ROWS) -> Case:
    """One that keeps all rows there and back."""
    return Case(before + rows, after, set(operations), keeps=keeps, back=_KEPT)  # type: ignore[arg-type]  # a test value


CASES: dict[str, Case] = {
    "a part becomes a table": moved(
        _LOG + _BOTH,
        _LOG + years(2026, 2027) + "CREATE TABLE log_2025 (day date NOT NULL, said text);",
        "detach partition",
        keeps=_OF_2025,
    ),
    "a part becomes a table of another shape": moved(
        _LOG + "ALTER TABLE log ADD PRIMARY KEY (day); CREATE INDEX i ON log (said);" + _BOTH,
        _LOG
        + "ALTER TABLE log ADD PRIMARY KEY (day); CREATE INDEX i ON log (said);"
        + years(2026, 2027)
        + "CREATE TABLE log_2025 (day timestamp, said text, id bigint GENERATED ALWAYS AS IDENTITY);",
        "detach partition",
        "change type",
        "add column",
        keeps=_OF_2025,
    ),
    "a table becomes a part": Case(
        _LOG + years(2026, 2027) + "CREATE TABLE log_2025 (day date, said text);"
        "INSERT INTO log_2025 VALUES ('2025-03-01', 'a'), ('2025-09-01', 'b'); INSERT INTO log VALUES"
        " ('2026-05-01', 'c')",
        _LOG + _BOTH,
        {"attach partition"},
        keeps=_KEPT,
        back=_OF_2025,
    ),
    "a table of another shape becomes a part": Case(
        _LOG + "ALTER TABLE log ADD PRIMARY KEY (day); ALTER TABLE log ADD CONSTRAINT c CHECK (said <> '');"
        "CREATE INDEX i ON log (said);"
        + years(2026, 2027)
        + "CREATE TABLE log_2025 (said varchar(9), day timestamp PRIMARY KEY, more int);"
        "CREATE INDEX j ON log_2025 (said); CREATE INDEX k ON log_2025 (more);"
        "INSERT INTO log_2025 VALUES ('a', '2025-03-01', 1), ('b', '2025-09-01', 2); INSERT INTO log VALUES"
        " ('2026-05-01', 'c')",
        _LOG + "ALTER TABLE log ADD PRIMARY KEY (day); ALTER TABLE log ADD CONSTRAINT c CHECK (said <> '');"
        "CREATE INDEX i ON log (said);" + _BOTH,
        {"attach partition", "drop column", "change type"},
        keeps=_KEPT,
        back=_OF_2025,
        destroys={"column log_2025.more"},
    ),
    "a table becomes a part of a new one": Case(
        "CREATE TABLE log_2025 (day date, said text); INSERT INTO log_2025 VALUES ('2025-03-01', 'a'),"
        " ('2025-09-01', 'b')",
        _LOG + _BOTH,
        {"create table", "create partition", "attach partition"},
        keeps=_OF_2025,
        back=_OF_2025,
    ),
    "all parts become tables": Case(
        _LOG + _BOTH + _ROWS,
        "CREATE TABLE log_2025 (day date NOT NULL, said text); CREATE TABLE log_2026 (day date NOT NULL, said text)",
        {"detach partition", "drop table"},
        keeps=_OF_2025,
        destroys={"table log"},
    ),
    "another name of a part": moved(
        _LOG + _BOTH, _LOG + years(2025, 2026, "past") + years(2026, 2027), "rename partition"
    ),
    "a part for more values": moved(
        _LOG + _BOTH,
        _LOG + years(2025, 2026) + years(2026, 2030, "log_2026"),
        "detach partition",
        "attach partition",
    ),
    "a limit between parts moves": moved(
        _LOG + _BOTH,
        _LOG
        + part("log_2025", "FROM ('2025-01-01') TO ('2025-06-01')")
        + part("log_2026", "FROM ('2025-06-01') TO ('2027-01-01')"),
        "move rows",
    ),
    "a part is split": moved(
        _LOG + _BOTH,
        _LOG
        + part("log_2025a", "FROM ('2025-01-01') TO ('2025-06-01')")
        + part("log_2025b", "FROM ('2025-06-01') TO ('2026-01-01')")
        + years(2026, 2027),
        "create partition",
        "move rows",
    ),
    "parts are made one": moved(_LOG + _BOTH, _LOG + years(2025, 2027, "log_all"), "create partition", "move rows"),
    "a part beside a default with its rows": moved(
        _LOG + years(2025, 2026) + part("rest", "DEFAULT"),
        _LOG + _BOTH + part("rest", "DEFAULT"),
        "create partition",
        "move rows",
    ),
    "a default part": moved(_LOG + _BOTH, _LOG + _BOTH + part("rest", "DEFAULT"), "create partition"),
    "a part split while the table changes": moved(
        _LOG + _BOTH,
        _LOG.replace("said text", "said varchar(20), more int DEFAULT 3")
        + part("log_2025a", "FROM ('2025-01-01') TO ('2025-06-01')")
        + part("log_2025b", "FROM ('2025-06-01') TO ('2026-01-01')")
        + years(2026, 2027)
        + "CREATE INDEX ON log_2025a (more)",
        "move rows",
        "add column",
        "change type",
        "create index",
    ),
    "a list part for more values": moved(
        "CREATE TABLE log (day text, said text) PARTITION BY LIST (day);" + part("p", "IN ('x', 'y', NULL)"),
        "CREATE TABLE log (day text, said text) PARTITION BY LIST (day);" + part("p", "IN ('x', 'y', 'it''s', NULL)"),
        "attach partition",
        rows="INSERT INTO log VALUES ('x', 'a'), ('y', 'b'), (NULL, 'c')",
    ),
    "a list part for fewer values": moved(
        "CREATE TABLE log (day text, said text) PARTITION BY LIST (day);" + part("p", "IN ('x', 'y', 'z')"),
        "CREATE TABLE log (day text, said text) PARTITION BY LIST (day);"
        + part("p", "IN ('x')")
        + part("q", "IN ('y', 'z')"),
        "move rows",
        rows="INSERT INTO log VALUES ('x', 'a'), ('y', 'b'), ('z', 'c')",
    ),
    "more hash parts": moved(
        "CREATE TABLE log (day int, said text) PARTITION BY HASH (day);"
        + "".join(part(f"h{n}", f"WITH (MODULUS 2, REMAINDER {n})") for n in range(2)),
        "CREATE TABLE log (day int, said text) PARTITION BY HASH (day);"
        + "".join(part(f"h{n}", f"WITH (MODULUS 4, REMAINDER {n})") for n in range(4)),
        "move rows",
        rows="INSERT INTO log VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    ),
    "parts of parts": moved(
        _LOG + _BOTH,
        _LOG
        + years(2025, 2026)
        + part("log_2026", "FROM ('2026-01-01') TO ('2027-01-01')", more=" PARTITION BY LIST (said)")
        + part("log_2026_c", "IN ('c')", "log_2026")
        + part("log_2026_rest", "DEFAULT", "log_2026"),
        "create partition",
        "move rows",
    ),
    "what parts have of their own": moved(
        _LOG + _BOTH,
        _LOG + _BOTH + "CREATE INDEX i ON log_2025 (said); ALTER TABLE log_2025 ADD CONSTRAINT c CHECK (said <> '');"
        "ALTER TABLE log_2025 ADD CONSTRAINT u UNIQUE (said); ALTER TABLE log_2026 SET (fillfactor = 50);"
        "COMMENT ON TABLE log_2026 IS 'this year'",
        "create index",
        "add check",
        "change options",
        "comment",
    ),
    "a key, an index and a foreign key of all parts": moved(
        "CREATE TABLE d (day date PRIMARY KEY); INSERT INTO d VALUES ('2025-03-01'), ('2025-09-01'), ('2026-05-01');"
        + _LOG
        + _BOTH,
        "CREATE TABLE d (day date PRIMARY KEY);" + _LOG + _BOTH + "ALTER TABLE log ADD PRIMARY KEY (day);"
        "ALTER TABLE log ADD FOREIGN KEY (day) REFERENCES d ON DELETE CASCADE; CREATE INDEX ON log (said)",
        "add primary key",
        "add foreign key",
        "create index",
    ),
    "keys of partitions by expression and collation": Case(
        "",
        'CREATE TABLE a (x text, y int) PARTITION BY RANGE (lower(x), y, x COLLATE "C" text_pattern_ops);'
        "CREATE TABLE b (x text, y int) PARTITION BY LIST ((y % 7)); CREATE TABLE b1 PARTITION OF b FOR VALUES"
        " IN (1, 2);"
        "CREATE TABLE b2 PARTITION OF b DEFAULT PARTITION BY HASH (x, y)",
        {"create table", "create partition"},
    ),
    "a column of all parts": moved(
        _LOG + _BOTH,
        _LOG.replace(
            "said text",
            'said text COLLATE "C", n int NOT NULL DEFAULT 5, g text GENERATED ALWAYS AS (upper(said)) STORED',
        )
        + _BOTH,
        "add column",
        "change type",
    ),
    "a table becomes partitioned": Case(
        "CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, day date, said text, n int,"
        " g text GENERATED ALWAYS AS (upper(said)) STORED, CHECK (n > 0)); CREATE INDEX i ON log (said);"
        "CREATE VIEW v AS SELECT said FROM log;"
        "INSERT INTO log (day, said, n) VALUES ('2025-03-01', 'a', 1), ('2026-05-01', 'b', 2)",
        "CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, day date NOT NULL, said text, n int,"
        " g text GENERATED ALWAYS AS (upper(said)) STORED, CHECK (n > 0), PRIMARY KEY (id, day))"
        " PARTITION BY RANGE (day); CREATE INDEX i ON log (said); CREATE VIEW v AS SELECT said FROM log;" + _BOTH,
        {"exchange table", "create partition"},
        keeps=("INSERT INTO log (day, said, n) VALUES ('2026-01-01', 'c', 3) RETURNING id, g", [(3, "C")]),
        back=("SELECT id, said FROM v JOIN log USING (said) ORDER BY id", [(1, "a"), (2, "b"), (3, "c")]),
    ),
    "a table is partitioned by something else": moved(
        _LOG
        + "ALTER TABLE log ADD PRIMARY KEY (day); CREATE INDEX i ON log_2025 (said);".replace("log_2025", "log")
        + _BOTH,
        "CREATE TABLE log (day date NOT NULL, said text) PARTITION BY LIST (said);"
        + part("log_2025", "IN ('a', 'b')")
        + part("log_2026", "DEFAULT"),
        "exchange table",
    ),
    "a table with rows of others becomes partitioned": Case(
        "CREATE TABLE log (id serial PRIMARY KEY, said text); CREATE TABLE o (log int REFERENCES log, more text);"
        "INSERT INTO log (said) VALUES ('a'), ('b'); INSERT INTO o VALUES (2, 'x')",
        "CREATE TABLE log (id serial PRIMARY KEY, said text) PARTITION BY HASH (id);"
        + "".join(part(f"h{n}", f"WITH (MODULUS 2, REMAINDER {n})") for n in range(2))
        + "CREATE TABLE o (log int REFERENCES log, more text)",
        {"exchange table", "add foreign key"},
        keeps=("INSERT INTO log (said) VALUES ('c') RETURNING id", [(3,)]),
        back=("SELECT said, more FROM log LEFT JOIN o ON log = id ORDER BY id", [("a", None), ("b", "x"), ("c", None)]),
    ),
    "a table becomes partitioned and loses a column": Case(
        "CREATE TABLE log (day date NOT NULL, said text, n int); INSERT INTO log VALUES ('2025-03-01', 'a', 1)",
        _LOG + _BOTH,
        {"exchange table", "drop column"},
        keeps=("SELECT said FROM log", [("a",)]),
        destroys={"column log.n"},
    ),
}
