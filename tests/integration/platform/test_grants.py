"""Each function has a role in the database that can do its work and nothing else.

That it can do its work is shown by all other tests: they run the functions in their roles (`tests.builders.roles`).
"""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from dataforge.platform.db import roles
from dataforge.platform.db.grants import GRANTS, WRITE
from infra.local.postgres import PostgresServer

KINDS = sorted(WRITE)


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def tables_of(connection: psycopg.Connection) -> set[str]:
    """Every table and view that the migrations make."""
    found = connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    return {str(name) for (name,) in found}


def rights_of(connection: psycopg.Connection, role: str) -> set[tuple[str, str]]:
    """What a role may do, as the server sees it."""
    return {
        (table, kind)
        for table in tables_of(connection)
        for kind in KINDS
        if connection.execute("SELECT has_table_privilege(%s, %s, %s)", [role, table, kind]).fetchone() == (True,)
    }


def test_every_table_is_somebodys_and_none_is_named_that_is_not_there(owner: psycopg.Connection) -> None:
    named = {table for tables in GRANTS.values() for table in tables}
    written = {table for tables in GRANTS.values() for table, kinds in tables.items() if "INSERT" in kinds}
    views = {
        "academics.taught_sections",
        "identity.directory",
        "learning.active_members",
        "learning.lessons",
        "learning.matches",
        "learning.memberships",
        "learning.progress",
        "learning.removals",
        "learning.cohorts",
        "learning.lesson_dates",
        "learning.open_lessons",
        "lrs.statements",
        "workspaces.directory",
        "workspaces.memberships",
    }

    assert tables_of(owner) - named == set(), "add a new table to dataforge/platform/db/grants.py"
    assert named - tables_of(owner) == set()
    of_the_deployer = {"platform.alembic_version", "schemas.revisions", "schemas.trash", "lrs.erasure_salt"}
    of_the_deployer |= {"schemas.drift_checks"}
    assert named - written == views | of_the_deployer


@pytest.mark.parametrize("function", GRANTS)
def test_a_role_has_what_is_written_down_and_nothing_else(owner: psycopg.Connection, function: str) -> None:
    wanted = {(table, kind) for table, kinds in GRANTS[function].items() for kind in kinds if "(" not in kind}

    assert rights_of(owner, function) == wanted
    row = owner.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = %s", [function]
    ).fetchone()
    assert row == (False, False, False, False)
    for schema in ("public", *roles.schemas()):
        assert owner.execute("SELECT has_schema_privilege(%s, %s, 'CREATE')", [function, schema]).fetchone() == (False,)


def test_sql_writes_nowhere(owner: psycopg.Connection) -> None:
    assert {kind for _, kind in rights_of(owner, "datasets-sql")} == {"SELECT"}


def test_only_maintenance_makes_signing_keys(owner: psycopg.Connection) -> None:
    makers = {function for function in GRANTS if ("identity.signing_keys", "INSERT") in rights_of(owner, function)}

    assert makers == {"maintenance"}


def test_passwords_and_tokens_are_not_for_functions_that_sign_nobody_in(owner: psycopg.Connection) -> None:
    readers = {function for function in GRANTS if ("identity.xapi_credentials", "SELECT") in rights_of(owner, function)}

    assert readers == {"api", "maintenance"}


def test_the_loader_sees_of_a_credential_only_when_it_was_used(owner: psycopg.Connection) -> None:
    seen = owner.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'identity.xapi_credentials'::regclass AND attnum > 0"
        " AND has_column_privilege('xapi-etl', attrelid, attname, 'SELECT') ORDER BY attname"
    ).fetchall()

    assert seen == [("key_id",), ("last_used_at",)]


def test_the_endpoint_sees_of_a_credential_only_when_it_was_used_and_refused(owner: psycopg.Connection) -> None:
    seen = owner.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'identity.xapi_credentials'::regclass AND attnum > 0"
        " AND has_column_privilege('xapi', attrelid, attname, 'SELECT') ORDER BY attname"
    ).fetchall()

    assert seen == [("key_id",), ("last_refused_at",), ("last_used_at",)]


def test_whoever_checks_a_personal_token_writes_of_it_only_when_it_was_used(owner: psycopg.Connection) -> None:
    for function in ("datasets-api", "datasets-sql", "xapi"):
        written = owner.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'identity.personal_tokens'::regclass AND attnum > 0"
            " AND has_column_privilege(%s, attrelid, attname, 'UPDATE')",
            [function],
        ).fetchall()

        assert written == [("last_used_at",)]


def test_a_login_works_with_its_password_of_now_and_loses_what_is_no_longer_named(
    postgres: PostgresServer, database_url: str, owner: psycopg.Connection
) -> None:
    database = database_url.rpartition("/")[2]
    name = f"test {secrets.token_hex(4)}"
    roles.apply(database_url, {"datasets-sql": roles.Login(name, "an earlier one")})
    owner.execute(sql.SQL("GRANT INSERT ON identity.users TO {}").format(sql.Identifier(name)))

    roles.apply(database_url, {"datasets-sql": roles.Login(name, "pass'word")})

    address = {"host": "127.0.0.1", "port": postgres.port, "dbname": database, "user": name}
    with psycopg.connect(**address, password="pass'word") as own:  # type: ignore[arg-type]
        assert own.execute("SELECT count(*) FROM datasets.refs").fetchone() == (0,)
        assert own.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
        own.rollback()
        own.execute("SET TRANSACTION READ WRITE")
        own.execute("UPDATE identity.personal_tokens SET last_used_at = now() WHERE name = 'somebody else''s'")
        own.rollback()
        own.execute("SET default_transaction_read_only = off")
        own.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            own.execute("INSERT INTO identity.users (id) VALUES (gen_random_uuid())")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**address, password="an earlier one")  # type: ignore[arg-type]
    owner.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
    owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_login_that_may_not_make_roles_is_told_so(
    postgres: PostgresServer, database_url: str, owner: psycopg.Connection
) -> None:
    name = f"test {secrets.token_hex(4)}"
    roles.apply(database_url, {"api": roles.Login(name, "word")})
    database = database_url.rpartition("/")[2]
    url = f"host=127.0.0.1 port={postgres.port} dbname={database} user='{name}' password=word"

    with pytest.raises(roles.RolesRefused, match="needs CREATEROLE"):
        roles.apply(url, {"api": roles.Login("another", "word")})

    owner.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
    owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
