"""One database for the tests of a worker, made equal to its template after each: copying and dropping one costs more.

What cannot be undone row by row is not tried: after a change of the schema, of rights or of settings, and while
anybody is still connected, the database is dropped, and the next test gets a fresh copy.
"""

import secrets
import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

from dataforge.platform.db.grants import SCHEMA_MAKERS
from infra.local.postgres import PostgresServer

# Every statement that changes a schema or a right leaves a younger row here, or one row less.
_CATALOGS = (
    *("pg_attrdef", "pg_attribute", "pg_cast", "pg_class", "pg_collation", "pg_constraint", "pg_default_acl"),
    *("pg_description", "pg_enum", "pg_event_trigger", "pg_extension", "pg_index", "pg_inherits", "pg_init_privs"),
    *("pg_namespace", "pg_operator", "pg_policy", "pg_proc", "pg_publication", "pg_rewrite", "pg_sequence"),
    *("pg_statistic_ext", "pg_trigger", "pg_type"),
)
_SETTINGS = (
    "SELECT 'settings', count(*), NULL FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
    " WHERE d.datname = current_database()"
)
_SCHEMA = " UNION ALL ".join(
    [
        *(f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM {name}" for name in _CATALOGS),
        _SETTINGS,
    ]
)
_RELATIONS = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = %s AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
)
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_SECONDS_TO_LEAVE = 2  # a server process outlives the connection that its client closed by some milliseconds
_LARGEST_GROWTH_BYTES = 64 * 1024 * 1024  # deleted rows keep their place, and slow down who reads the table


@dataclass(frozen=True)
class _Template:
    """What a copy has to be again after a test."""

    schema: tuple[tuple[object, ...], ...]
    clean: sql.Composed
    seeds: dict[tuple[str, str], bytes]
    size: int


class ReusedDatabase:
    """`url()` is the same database until `clean` finds that it has to be another."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template_name = template
        self._name: str | None = None
        with psycopg.connect(server.url_of(template), autocommit=True) as connection:
            self._template = _template(connection)

    def url(self) -> str:
        """URL of a database that equals the template."""
        if self._name is None:
            name = f"test_{secrets.token_hex(6)}"
            url = self._server.create_database(name, template=self._template_name)
            grant_making_of_schemas(url)
            self._name = name
        return self._server.url_of(self._name)

    def clean(self) -> None:
        """Make the database equal to the template, or drop it."""
        if self._name is not None and not self._cleaned(self.url()):
            self.drop()

    def drop(self) -> None:
        """Drop the database and disconnect who still uses it."""
        if self._name is not None:
            self._server.drop_database(self._name)
            self._name = None

    def _cleaned(self, url: str) -> bool:
        with psycopg.connect(url, autocommit=True) as connection:
            if not _left_by_everybody(connection) or _schema(connection) != self._template.schema:
                return False
            with connection.transaction():
                connection.execute(self._template.clean)
                for table, rows in self._template.seeds.items():
                    into = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(*table))
                    with connection.cursor() as cursor, cursor.copy(into) as copy:
                        copy.write(rows)
            return _size(connection) <= self._template.size + _LARGEST_GROWTH_BYTES


def grant_making_of_schemas(url: str) -> None:
    """Give the right on the database itself, which is not copied with it."""
    with psycopg.connect(url) as connection:
        database = sql.Identifier(connection.info.dbname)
        for function in SCHEMA_MAKERS:
            connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(function)))


def _template(connection: psycopg.Connection) -> _Template:
    tables = connection.execute(_RELATIONS, ["r"]).fetchall()
    sequences = connection.execute(_RELATIONS, ["S"]).fetchall()
    seeds = {}
    for table in tables:
        name = sql.Identifier(*table)
        with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY {} TO STDOUT").format(name)) as copy:
            rows = b"".join(copy)
        if rows:
            seeds[table] = rows
    return _Template(_schema(connection), _statements(connection, tables, sequences), seeds, _size(connection))


def _statements(
    connection: psycopg.Connection, tables: list[tuple[str, str]], sequences: list[tuple[str, str]]
) -> sql.Composed:
    """Statements that empty every table, put the sequences back and drop large objects."""
    statements: list[sql.Composable] = [sql.SQL("SET LOCAL session_replication_role = replica")]
    statements += [sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)) for table in tables]
    for sequence in sequences:
        name = sql.Identifier(*sequence)
        row = connection.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(name)).fetchone()
        assert row is not None
        place = sql.Literal(name.as_string(connection))
        statements.append(sql.SQL("SELECT setval({}, {}, {})").format(place, *(sql.Literal(value) for value in row)))
    statements.append(sql.SQL("SELECT lo_unlink(oid) FROM pg_largeobject_metadata"))
    return sql.SQL("; ").join(statements)


def _schema(connection: psycopg.Connection) -> tuple[tuple[object, ...], ...]:
    return tuple(connection.execute(_SCHEMA).fetchall())


def _size(connection: psycopg.Connection) -> int:
    (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
    return int(size)


def _left_by_everybody(connection: psycopg.Connection) -> bool:
    """Whether nobody else is connected, nor will be: whoever still is may go on with what it does."""
    give_up = time.monotonic() + _SECONDS_TO_LEAVE
    while connection.execute(_OTHERS).fetchone() != (0,):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.005)
    return True
