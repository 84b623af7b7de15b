"""What a test leaves in its database does not reach the next one."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from infra.local.postgres import PostgresServer
from tests.builders.reused_database import ReusedDatabase

# Tables or sequences; rows of partitions are their table's.
RELATIONS = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = ANY(%s) AND NOT c.relispartition"
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1, 2"
)
TABLES, SEQUENCES = ["r", "p"], ["S"]
CHECKS = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
# A value of any type: of an array the empty one, of the others what reads as that type.
COLUMNS = (
    "SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE t.typcategory"
    " WHEN 'N' THEN '7' WHEN 'B' THEN 'true'"
    " WHEN 'D' THEN CASE t.typname WHEN 'time' THEN '07:00' ELSE '2026-07-07' END"
    " WHEN 'A' THEN '{}' WHEN 'I' THEN '127.0.0.1' WHEN 'T' THEN '7 days'"
    " ELSE CASE t.typname WHEN 'uuid' THEN '00000000-0000-7000-8000-000000000007' ELSE '7' END END"
    " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
    " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
)


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, and where every sequence is."""
    found = {}
    with psycopg.connect(url) as connection:
        # As text: PostgreSQL has times that Python has not.
        for kinds, columns in ((TABLES, "t::text"), (SEQUENCES, "last_value, is_called")):
            for name in connection.execute(RELATIONS, [kinds]).fetchall():
                statement = sql.SQL("SELECT {} FROM {} t").format(sql.SQL(columns), sql.Identifier(*name))
                found[".".join(name)] = connection.execute(statement).fetchall()
    return found


def fill(url: str) -> None:
    """A row in every table, whatever it refers to."""
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for name in connection.execute(RELATIONS, [TABLES]).fetchall():
            table = sql.Identifier(*name)
            columns = connection.execute(COLUMNS, [table.as_string(connection)]).fetchall()
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
                    table,
                    sql.SQL(", ").join(sql.Identifier(column) for column, _, _ in columns),
                    sql.SQL(", ").join(
                        sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(kind)) for _, kind, value in columns
                    ),
                )
            )
        for name in connection.execute(RELATIONS, [SEQUENCES]).fetchall():
            connection.execute("SELECT nextval(%s), nextval(%s)", [".".join(name), ".".join(name)])
        connection.execute("SELECT lo_from_bytea(0, 'left')")


@pytest.fixture(scope="module")
def loose_template(postgres: PostgresServer, template_database: str) -> str:
    """Our tables without their CHECK constraints, so that one made-up row fits into each."""
    url = postgres.create_database("template_loose", template=template_database)
    with psycopg.connect(url) as connection:
        for table, name in connection.execute(CHECKS).fetchall():
            drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.SQL(table), sql.Identifier(name))
            connection.execute(drop)
    return "template_loose"


@pytest.fixture
def reused(postgres: PostgresServer, loose_template: str) -> Iterator[ReusedDatabase]:
    database = ReusedDatabase(postgres, loose_template)
    yield database
    database.drop()


def test_a_test_that_filled_every_table_leaves_what_the_migrations_made(
    postgres: PostgresServer, loose_template: str, reused: ReusedDatabase
) -> None:
    made, url = contents(postgres.url_of(loose_template)), reused.url()
    fill(url)
    filled = contents(url)
    assert [name for name, rows in filled.items() if rows == made[name]] == []

    reused.clean()

    assert reused.url() == url
    assert contents(url) == made
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)


def test_rows_of_the_migrations_that_were_changed_come_back(reused: ReusedDatabase) -> None:
    made, url = contents(reused.url()), reused.url()
    assert made["platform.alembic_version"]
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE platform.alembic_version SET version_num = 'another'")

    reused.clean()

    assert (reused.url(), contents(url)) == (url, made)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE public.left_over (id int)",
        "DROP VIEW learning.open_lessons",
        "DROP INDEX {index}",
        "ALTER TABLE identity.users ADD CONSTRAINT no CHECK (username <> 'x')",
        "ALTER TABLE identity.users ALTER COLUMN username DROP NOT NULL",
        "ALTER TABLE identity.users DISABLE TRIGGER ALL",
        "ALTER SEQUENCE platform.audit_log_id_seq INCREMENT 2",
        'GRANT DELETE ON identity.users TO "datasets-sql"',
        'REVOKE SELECT (key_id) ON identity.xapi_credentials FROM "xapi-etl"',
        "ALTER DATABASE {database} SET default_transaction_read_only = on",
        "CREATE FUNCTION public.seven() RETURNS int LANGUAGE sql AS 'SELECT 7'",
    ],
)
def test_a_changed_schema_is_not_given_to_the_next_test(reused: ReusedDatabase, change: str) -> None:
    url = reused.url()
    with psycopg.connect(url, autocommit=True) as connection:
        query = (
            "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " WHERE c.relnamespace = 'identity'::regnamespace AND NOT EXISTS"
            " (SELECT FROM pg_constraint WHERE conindid = i.indexrelid) ORDER BY 1"
        )
        (index,) = connection.execute(query).fetchone() or ("",)
        connection.execute(change.format(index=index, database=url.rpartition("/")[2]).encode())

    reused.clean()

    assert reused.url() != url


def test_a_connection_that_stays_open_loses_its_database(reused: ReusedDatabase) -> None:
    url = reused.url()
    with psycopg.connect(url, autocommit=True) as stays:
        stays.execute("SELECT pg_advisory_lock(7)")

        reused.clean()

        assert reused.url() != url
        with pytest.raises(psycopg.OperationalError):
            stays.execute("SELECT 1")
