"""Whatever is left unread or kept decoded, a statement answers what DuckDB answers over the same rows in memory."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.examples import examples
from versioned_tables.errors import SqlRefused
from versioned_tables.format.manifest import Manifest
from versioned_tables.read.rows import read_range
from versioned_tables.schema.arrow_types import arrow_schema
from versioned_tables.schema.columns import make_schema
from versioned_tables.sql.kept import MOST_BYTES
from versioned_tables.sql.process import EngineProcess
from versioned_tables.sql.running import run_over
from versioned_tables.sql.streams import VersionTable
from versioned_tables.sql.zones import LEAST_ROWS, zoned_column
from versioned_tables.storage.local_directory import LocalDirectoryStore
from versioned_tables.storage.table_store import TableStore
from versioned_tables.write.writer import TableWriter

pytestmark = pytest.mark.slow

_TEXTS = ["", "a", "A", "ab", "a\x00b", "b'c", "Zürich", "\U0001f600", "z"]
_DAY = date(1999, 12, 28)


@dataclass(frozen=True)
class Kind:
    """A type of a key: its values by number, and constants of statements that are compared with it."""

    type: str
    constants: list[str]

    def value(self, number: int) -> object:
        """Another one for each number."""
        match self.type:
            case "int":
                return (number - 11_000) * 3 if number else -(2**63)
            case "float":
                return {0: float("-inf"), 1: float("nan"), 2: 0.0, 3: 2.0**60}.get(number, (number - 9_000) / 7)
            case "string":
                return f"{_TEXTS[number % len(_TEXTS)]}{number // 9 or ''}"
            case "date":
                return _DAY + timedelta(number - 12_000)
            case "timestamp":
                return datetime(2001, 1, 1) + timedelta(minutes=number * 7 - 60_000)  # noqa: DTZ001 - of no zone
            case _:
                return datetime(2001, 1, 1, tzinfo=UTC) + timedelta(minutes=number * 7 - 60_000)


KINDS = [
    Kind("int", ["0", "-3", "-32999", "30", "299.5", "1e3", "9223372036854775807", "1e300", "'60'", "NULL", "10 + 5"]),
    Kind("float", ["0", "-0.0", "1.5", "1e2", "'NaN'::DOUBLE", "-1e300", "'12'", "NULL", "'inf'::DOUBLE", "1e30"]),
    Kind("string", ["''", "'a'", "'a12'", "'A7'", "'ab'", "'Zürich1000'", "'b''c3'", "'\U0001f600'", "NULL", "'z99'"]),
    Kind("date", ["'2000-01-01'", "DATE '1999-12-28'", "TIMESTAMP '2003-05-06 12:00'", "'1970-01-01'", "NULL"]),
    Kind("timestamp", ["'2001-01-01'", "TIMESTAMP '2001-02-03 04:05:06'", "DATE '2001-03-01'", "'1990-01-01 00:00'"]),
    Kind("timestamptz", ["'2001-01-01'", "'2001-02-03 04:05:06+02'", "DATE '2001-03-01'", "'2101-01-01T00:00Z'"]),
]
_COMPARISONS = ["=", "<", ">", "<=", ">=", "<>", "IS DISTINCT FROM"]


@dataclass(frozen=True)
class Sheet:
    """A version, and a DuckDB that has its rows in memory as `t`."""

    kind: Kind
    table: VersionTable
    plain: duckdb.DuckDBPyConnection

    def constants(self) -> st.SearchStrategy[str]:
        """Constants of every sort, and the values of rows."""
        return st.sampled_from(self.kind.constants) | st.builds(self._value, st.integers(0, 21_000))

    def _value(self, number: int) -> str:
        value = self.kind.value(number)
        if isinstance(value, int):
            return str(value)
        text = str(value).replace("'", "''").replace("\x00", "'||chr(0)||'")
        return f"CAST('{text}' AS {'DOUBLE' if isinstance(value, float) else self._sql_type()})"

    def _sql_type(self) -> str:
        return {"string": "VARCHAR", "timestamptz": "TIMESTAMPTZ"}.get(self.kind.type, self.kind.type.upper())


def sheet_of(folder: Path, kind: Kind) -> Sheet:
    schema = make_schema([("n", "int"), ("k", kind.type), ("s", "string"), ("v", "float")], ["k"])
    chance = Random(7)
    rows = [
        (n, kind.value(n), chance.choice(["up", "down", "", None]), chance.choice([None, n / 8]))
        for n in range(LEAST_ROWS + 500)
    ]
    columns = [
        pa.array(values, field.type)
        for values, field in zip(zip(*rows, strict=True), arrow_schema(schema), strict=True)
    ]
    store = TableStore(LocalDirectoryStore(folder), f"{kind.type}/")
    writer = TableWriter(store, schema)
    # By Arrow, which has NaN last, as tables do.
    writer.add(pa.Table.from_arrays(columns, schema=arrow_schema(schema)).sort_by(schema.key_columns[0].id))
    manifest = writer.finish()
    return Sheet(kind, VersionTable(store, manifest), plain(store, manifest))


def plain(store: TableStore, manifest: Manifest) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own with the rows as `t`."""
    connection = duckdb.connect(config={"threads": 2})
    connection.register("rows", read_range(store, manifest, 0, manifest.rows).rename_columns(manifest.schema.names))
    connection.execute("CREATE TABLE t AS FROM rows")
    return connection


@st.composite
def conditions(draw: st.DrawFn, sheet: Sheet, name: str = "k") -> str:
    """A condition, most often on the key."""
    constant = sheet.constants()
    simple = st.one_of(
        st.builds("{} {} {}".format, st.just(name), st.sampled_from(_COMPARISONS), constant),
        st.builds("{} {} {}".format, constant, st.sampled_from(_COMPARISONS), st.just(name)),
        st.builds("{} BETWEEN {} AND {}".format, st.just(name), constant, constant),
        st.builds("{} {} ({}, {})".format, st.just(name), st.sampled_from(["IN", "NOT IN"]), constant, constant),
        st.sampled_from(["v > 100", "s = 'up'", "s IS NULL", "n % 2 = 0", f"{name} IS NOT NULL", "v + 1 < 40", "true"]),
    )
    joined = st.recursive(
        simple,
        lambda inner: st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
            st.builds("NOT ({})".format, inner),
        ),
        max_leaves=4,
    )
    return draw(joined)


FORMS = [
    "SELECT count(*), min(n), max(v), min(s), max(k) FROM t WHERE {p}",
    "SELECT * FROM t WHERE {p} ORDER BY n",
    "SELECT v AS k, s, n FROM t WHERE {p} ORDER BY n LIMIT 50",
    "SELECT n, n, v, v FROM t WHERE {p} ORDER BY v DESC NULLS LAST, n",
    "SELECT DISTINCT s, v > 1000 FROM t WHERE {p} ORDER BY ALL",
    "SELECT s, count(*), sum(n) FROM t WHERE {p} GROUP BY s HAVING count(*) > 2 ORDER BY s",
    "SELECT x.n FROM t AS x WHERE {x} ORDER BY x.k DESC, n OFFSET 3",
    "SELECT t.n FROM t WHERE {t} ORDER BY 1",
    "SELECT n, k FROM t AS x(k, n) WHERE {p0} ORDER BY n, k",
    "SELECT n FROM t WHERE {p} UNION ALL SELECT n FROM t WHERE {q} ORDER BY n",
    "WITH c AS (SELECT * FROM t WHERE {p}) SELECT count(*), sum(c.n) FROM c JOIN t USING (n)",
    "WITH t AS (SELECT n, k, s, v FROM t WHERE n < 900) SELECT count(*), sum(n) FROM t WHERE {p}",
    "SELECT count(*), sum(n) FROM t WHERE {p} AND n IN (SELECT n FROM t WHERE {q})",
    "SELECT count(*), sum(n) FROM t a LEFT JOIN (SELECT n, k FROM t WHERE {p}) b USING (n)",
    "SELECT count(*) FROM t a WHERE EXISTS (SELECT 1 FROM t WHERE {p} AND t.n = a.n + 1)",
    "SELECT (SELECT count(*) FROM t WHERE {p}), (SELECT max(n) FROM t WHERE {q})",
    "SELECT row_number() OVER (ORDER BY n) AS r, n FROM t WHERE {p} ORDER BY r LIMIT 20",
    "SELECT count(*), sum(n) FROM (FROM t WHERE {p}) WHERE {q}",
    "SELECT typeof(s), typeof(k), any_value(n ORDER BY n) FROM t WHERE {p} GROUP BY ALL",
    "FROM t SELECT s || '!' AS s2, lower(s), n WHERE {p} AND (s LIKE 'd%' OR s IN ('up', '')) ORDER BY n",
]


@st.composite
def statements(draw: st.DrawFn, sheet: Sheet) -> str:
    """A statement over `t` with one or two conditions."""
    form = draw(st.sampled_from(FORMS))
    named = {"p": "k", "q": "k", "x": "x.k", "t": '"t"."K"', "p0": "n"}
    return form.format(
        **{place: draw(conditions(sheet, name)) for place, name in named.items() if f"{{{place}}}" in form}
    )


def answer_of(table: pa.Table) -> list[str]:
    """Rows as texts, so that NaN is like itself."""
    return [
        repr(tuple(row.values()))
        for row in table.rename_columns([str(n) for n in range(table.num_columns)]).to_pylist()
    ]


def same(sheet: Sheet, engine: EngineProcess, statement: str) -> None:
    """Our answer is the plain one."""
    try:
        expected = sheet.plain.sql(statement).to_arrow_table()
    except duckdb.Error:
        with pytest.raises(SqlRefused):
            run_over({"t": sheet.table}, statement, engine=engine, as_table=True)
        return
    found = run_over({"t": sheet.table}, statement, engine=engine, as_table=True)
    assert found.table is not None
    assert found.truncated == (expected.num_rows > 10_000)
    assert found.table.schema.names == expected.schema.names
    assert [str(kind) for kind in found.table.schema.types] == [str(kind) for kind in expected.schema.types]
    assert answer_of(found.table) == answer_of(expected.slice(0, 10_000))


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "streamed"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)
def test_what_is_left_unread_or_kept_changes_no_answer(tmp_path: Path, kind: Kind, *, keep: bool) -> None:
    engine = EngineProcess(MOST_BYTES if keep else 0)
    sheet = sheet_of(tmp_path, kind)
    assert zoned_column(sheet.table.manifest) == 1

    @settings(max_examples=examples(80), deadline=None)
    @given(statements(sheet))
    def answers_alike(statement: str) -> None:
        same(sheet, engine, statement)

    try:
        same(sheet, engine, "SELECT * FROM t ORDER BY n")
        assert (engine.kept.get(sheet.table.keys(range(4))) is not None) == keep
        answers_alike()
    finally:
        engine.stop()
