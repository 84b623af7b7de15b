"""Everything that a table can have, from SQL to SQL."""

from dataforge.contexts.schemas.plans.domain.changes import Risk
from tests.builders.schema_cases.case import Case

_ADA = "; INSERT INTO t VALUES (1, 'Ada')"
_T = "CREATE TABLE t (id bigint, a text)"
_KEPT = ("SELECT id, a FROM t", [(1, "Ada")])
_KEYED = "CREATE TABLE t (id bigint PRIMARY KEY, a text)"
_ORDERS = "; CREATE TABLE o (id bigint, t bigint)"


def plain(after: str, *operations: str, start: str = _T, **more: object) -> Case:
    """One that keeps Ada there and back."""
    return Case(start + _ADA, after, set(operations), keeps=_KEPT, back=_KEPT, **more)  # type: ignore[arg-type]  # a test value


CASES: dict[str, Case] = {
    "how a column is stored": plain(_T + "; ALTER TABLE t ALTER a SET STORAGE EXTERNAL", "change settings"),
    "a column stored as its type says": plain(
        _T, "change settings", start=_T + "; ALTER TABLE t ALTER a SET STORAGE MAIN"
    ),
    "how a column is compressed": plain("CREATE TABLE t (id bigint, a text COMPRESSION pglz)", "change settings"),
    "how closely a column is looked at": plain(_T + "; ALTER TABLE t ALTER a SET STATISTICS 500", "change settings"),
    "a column that is not looked at": plain(_T + "; ALTER TABLE t ALTER a SET STATISTICS 0", "change settings"),
    "how many values a column has": plain(
        _T + "; ALTER TABLE t ALTER a SET (n_distinct = -0.5, n_distinct_inherited = 100)", "change settings"
    ),
    "a new column with all its settings": plain(
        _T + "; ALTER TABLE t ADD b text COMPRESSION pglz;"
        "ALTER TABLE t ALTER b SET STORAGE EXTERNAL, ALTER b SET STATISTICS 7, ALTER b SET (n_distinct = 3)",
        "add column",
    ),
    "settings that outlive a change of type": plain(
        "CREATE TABLE t (id bigint, a varchar(40)); ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER a SET"
        " STATISTICS 9",
        "change type",
        start=_T + "; ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER a SET STATISTICS 9",
    ),
    "another collation": plain('CREATE TABLE t (id bigint, a text COLLATE "C")', "change type"),
    "another collation below an index": plain(
        'CREATE TABLE t (id bigint, a text COLLATE "C"); CREATE INDEX i ON t (a COLLATE "POSIX" DESC, lower(a))',
        "change type",
        start=_T + '; CREATE INDEX i ON t (a COLLATE "POSIX" DESC, lower(a))',
    ),
    "storage parameters of a table and of its long values": plain(
        _T + " WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_enabled = false)",
        "change options",
    ),
    "storage parameters less": plain(
        _T + " WITH (fillfactor = 80)",
        "change options",
        start=_T + " WITH (fillfactor = 70, autovacuum_enabled = false, toast.vacuum_truncate = false)",
    ),
    "what replication tells rows by": plain(
        _T + "; ALTER TABLE t REPLICA IDENTITY FULL", "change replica identity", start=_T
    ),
    "an index that replication tells rows by": plain(
        "CREATE TABLE t (id bigint NOT NULL, a text); CREATE UNIQUE INDEX i ON t (id);"
        "ALTER TABLE t REPLICA IDENTITY USING INDEX i",
        "create unique index",
        "change replica identity",
        start="CREATE TABLE t (id bigint NOT NULL, a text)",
    ),
    "a table that is not logged": plain(
        "CREATE UNLOGGED TABLE t (id bigint, a text)", "change persistence", risks={"table t": Risk.REWRITING}
    ),
    "a primary key with more in its index": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT k PRIMARY KEY (id) INCLUDE (a) WITH (fillfactor = 60)"
        " DEFERRABLE INITIALLY DEFERRED)",
        "build index",
        "add primary key",
    ),
    "storage parameters of a key": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT k PRIMARY KEY (id) WITH (fillfactor = 60))",
        "change options",
        start="CREATE TABLE t (id bigint, a text, CONSTRAINT k PRIMARY KEY (id) WITH (fillfactor = 70))",
    ),
    "a unique with more in its index": plain(
        "CREATE TABLE t (id bigint, a text, UNIQUE NULLS NOT DISTINCT (a) INCLUDE (id) WITH (fillfactor = 60))",
        "build index",
        "add unique constraint",
    ),
    "a unique that is checked later": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT u UNIQUE (a) DEFERRABLE)",
        "drop unique constraint",
        "add unique constraint",
        start="CREATE TABLE t (id bigint, a text, CONSTRAINT u UNIQUE (a))",
    ),
    "a unique index becomes a constraint": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT u UNIQUE (a))",
        "drop index",
        "add unique constraint",
        start=_T + "; CREATE UNIQUE INDEX u ON t (a)",
    ),
    "a key of other columns": plain(
        "CREATE TABLE t (id bigint NOT NULL, a text, CONSTRAINT k PRIMARY KEY (a, id))",
        "drop primary key",
        "add primary key",
        start="CREATE TABLE t (id bigint, a text NOT NULL, CONSTRAINT k PRIMARY KEY (id))",
    ),
    "a key that others refer to moves": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT t_id_key UNIQUE (id), PRIMARY KEY (a))"
        + _ORDERS
        + "; ALTER TABLE o ADD FOREIGN KEY (t) REFERENCES t (id)",
        "drop foreign key",
        "add foreign key",
        start=_KEYED + _ORDERS + "; ALTER TABLE o ADD FOREIGN KEY (t) REFERENCES t",
    ),
    "a check that old rows may break": plain(
        _T + "; ALTER TABLE t ADD CONSTRAINT c CHECK (id > 5) NOT VALID", "add check"
    ),
    "a check that looks at old rows at last": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT c CHECK (id > 0))",
        "validate constraint",
        start=_T + "; ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID",
    ),
    "a check that children do not have": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT c CHECK (id > 0) NO INHERIT)", "add check"
    ),
    "another condition of a check": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT c CHECK (id > 0))",
        "drop check",
        "add check",
        start="CREATE TABLE t (id bigint, a text, CONSTRAINT c CHECK (id > -1))",
    ),
    "a check below another type": plain(
        "CREATE TABLE t (id integer, a text, CONSTRAINT c CHECK (id > 0), CHECK (a <> '' OR id = 0))",
        "change type",
        start="CREATE TABLE t (id bigint, a text, CONSTRAINT c CHECK (id > 0), CHECK (a <> '' OR id = 0))",
    ),
    "a foreign key that old rows may break": plain(
        _KEYED + _ORDERS + "; ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t NOT VALID",
        "add foreign key",
        start=_KEYED + _ORDERS + "; INSERT INTO o VALUES (1, 99)",
    ),
    "a foreign key that looks at old rows at last": plain(
        _KEYED + _ORDERS + "; ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t",
        "validate constraint",
        start=_KEYED + _ORDERS + "; ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t NOT VALID",
    ),
    "a foreign key that is checked later": plain(
        _KEYED + _ORDERS + "; ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t DEFERRABLE",
        "change foreign key",
        start=_KEYED + _ORDERS + "; ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t",
    ),
    "a foreign key that is checked at once": plain(
        _KEYED + _ORDERS + "; ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t",
        "change foreign key",
        start=_KEYED + _ORDERS + "; ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t INITIALLY DEFERRED",
    ),
    "a foreign key of two columns that forgets one": plain(
        "CREATE TABLE t (id bigint, a text, PRIMARY KEY (id, a)); CREATE TABLE o (id bigint, t bigint, a text,"
        " CONSTRAINT f FOREIGN KEY (t, a) REFERENCES t (id, a) ON DELETE SET NULL (a) ON UPDATE CASCADE)",
        "drop foreign key",
        "add foreign key",
        start="CREATE TABLE t (id bigint, a text, PRIMARY KEY (id, a)); CREATE TABLE o (id bigint, t bigint, a text,"
        " CONSTRAINT f FOREIGN KEY (t, a) REFERENCES t (id, a) MATCH FULL ON DELETE SET DEFAULT)",
    ),
    "a foreign key to itself": plain(
        "CREATE TABLE t (id bigint PRIMARY KEY, a text); ALTER TABLE t ADD up bigint REFERENCES t ON DELETE SET NULL",
        "add column",
        "add foreign key",
        start=_KEYED,
    ),
    "types on both sides of a foreign key": plain(
        "CREATE TABLE t (id integer PRIMARY KEY, a text); CREATE TABLE o (id bigint, t integer REFERENCES t)",
        "change type",
        start=_KEYED + "; CREATE TABLE o (id bigint, t bigint REFERENCES t)",
    ),
    "a foreign key to a unique index": plain(
        _T + "; CREATE UNIQUE INDEX u ON t (id)" + _ORDERS + "; ALTER TABLE o ADD FOREIGN KEY (t) REFERENCES t (id)",
        "create unique index",
        "add foreign key",
        start=_T + _ORDERS,
    ),
    "an exclusion constraint": plain(
        "CREATE TABLE t (id bigint, a text, d daterange, CONSTRAINT x EXCLUDE USING gist (d WITH &&) WHERE (id > 0))",
        "add exclusion constraint",
        start=_T.replace(")", ", d daterange)"),
    ),
    "another exclusion constraint": plain(
        "CREATE TABLE t (id bigint, a text, d daterange);"
        "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (d WITH -|-) WITH (fillfactor = 80) DEFERRABLE;"
        "COMMENT ON CONSTRAINT x ON t IS 'no neighbours'",
        "drop exclusion constraint",
        "add exclusion constraint",
        start="CREATE TABLE t (id bigint, a text, d daterange, CONSTRAINT x EXCLUDE USING gist (d WITH &&))",
    ),
    "indexes of all methods": plain(
        _T.replace(")", ", j jsonb, v tsvector, n int4range, p point)")
        + "; CREATE INDEX ON t USING hash (a); CREATE INDEX ON t USING gin (j jsonb_path_ops) WITH (fastupdate = off);"
        "CREATE INDEX ON t USING gist (v tsvector_ops (siglen = 100)); CREATE INDEX ON t USING spgist (n);"
        "CREATE INDEX ON t USING brin (id) WITH (pages_per_range = 8, autosummarize = on); CREATE INDEX ON t"
        " USING gist (p)",
        "create index",
        start=_T.replace(")", ", j jsonb, v tsvector, n int4range, p point)"),
    ),
    "an index with everything": plain(
        _T + '; CREATE UNIQUE INDEX i ON t USING btree (a COLLATE "C" text_pattern_ops DESC NULLS LAST, (id % 7))'
        " INCLUDE (id) NULLS NOT DISTINCT WITH (fillfactor = 50) WHERE a IS NOT NULL; COMMENT ON INDEX i IS 'it''s'",
        "create unique index",
    ),
    "storage parameters of an index": plain(
        _T + "; CREATE INDEX i ON t (a) WITH (fillfactor = 50)",
        "change options",
        start=_T + "; CREATE INDEX i ON t (a) WITH (deduplicate_items = off, fillfactor = 60)",
    ),
    "how closely an expression is looked at": plain(
        _T + "; CREATE INDEX i ON t (id, lower(a)); ALTER INDEX i ALTER COLUMN 2 SET STATISTICS 300",
        "change statistics",
        start=_T + "; CREATE INDEX i ON t (id, lower(a))",
    ),
    "another order of an index": plain(
        _T + "; CREATE INDEX i ON t (a DESC, id)",
        "drop index",
        "create index",
        start=_T + "; CREATE INDEX i ON t (id, a)",
    ),
    "an index over fewer rows": plain(
        _T + "; CREATE INDEX i ON t (a) WHERE id > 3", "create index", start=_T + "; CREATE INDEX i ON t (a)"
    ),
    "two indexes that swap names": plain(
        _T + "; CREATE INDEX i ON t (a); CREATE INDEX j ON t (id)",
        "drop index",
        start=_T + "; CREATE INDEX j ON t (a); CREATE INDEX i ON t (id)",
    ),
    "an index becomes unique": plain(
        _T + "; CREATE UNIQUE INDEX i ON t (a)", "create unique index", start=_T + "; CREATE INDEX i ON t (a)"
    ),
    "comments on everything of a table": plain(
        "CREATE TABLE t (id bigint, a text, CONSTRAINT k PRIMARY KEY (id), CONSTRAINT u UNIQUE (a), CONSTRAINT c CHECK"
        " (id > 0)); CREATE INDEX i ON t (a); COMMENT ON TABLE t IS 'a'; COMMENT ON COLUMN t.a IS 'b';"
        "COMMENT ON CONSTRAINT k ON t IS 'c'; COMMENT ON CONSTRAINT u ON t IS 'd'; COMMENT ON CONSTRAINT c ON t IS 'e';"
        "COMMENT ON INDEX i IS 'f'",
        "comment",
        start="CREATE TABLE t (id bigint, a text, CONSTRAINT k PRIMARY KEY (id), CONSTRAINT u UNIQUE (a), CONSTRAINT c"
        " CHECK (id > 0)); CREATE INDEX i ON t (a); COMMENT ON TABLE t IS 'z'",
    ),
    "types of all kinds": plain(
        "CREATE TABLE t (id bigint, a text, c01 numeric(10,2)[], c02 timestamp(3) with time zone, c03 interval(2),"
        " c04 bit varying(5), c05 char(3), c06 varchar(7)[], c07 time(0), c08 inet, c09 tsmultirange, c10 bytea,"
        ' c11 xml, c12 double precision, c13 real, c14 money, c15 bpchar, c16 interval day to second, c17 "char",'
        " c18 numeric(5,-2), c19 national character varying(3), c20 pg_lsn, c23 float(20), c21 jsonb[][], c22 uuid)",
        "add column",
    ),
}
