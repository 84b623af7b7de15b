"""Logins of the functions: made and given their rights by `schema_deployer`, after every migration.

Roles belong to the whole server, so that a login is named by its stack; its password lies in a secret of its own that
only its function reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from dataforge.kernel.errors import Conflict
from dataforge.platform.db.grants import EXECUTES, GRANTS, READ, SCHEMA_MAKERS
from dataforge.platform.db.turns import turn

if TYPE_CHECKING:
    from dataforge.platform.aws.secrets import JsonSecrets

_LOCK_TIMEOUT = "4s"


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password of a function's role."""

    name: str
    password: str = field(repr=False)


def logins_of(places: Mapping[str, str], secrets: "JsonSecrets") -> dict[str, Login]:
    """The logins of functions, each from its own URL or else from its own secret, read anew."""
    return {function: _login(place, secrets) for function, place in places.items()}


def _login(place: str, secrets: "JsonSecrets") -> Login:
    if place.startswith("postgresql://"):
        parts = urlsplit(place)
        return Login(unquote(parts.username or ""), unquote(parts.password or ""))
    secret = secrets.read(place, fresh=True)
    return Login(secret["username"], secret["password"])


class RolesRefused(Conflict):
    """The deployer's own login may not make roles."""

    code = "roles_refused"
    title = "The database login of the deployment may not make roles"


def apply(url: str, logins: Mapping[str, Login]) -> None:
    """Make the logins of these functions and give each the rights that `GRANTS` names, in one transaction.

    Safe to repeat: a changed password is set, rights that are no longer named are taken away. Raises RolesRefused when
    the login of `url` may not make roles.
    """
    try:
        with turn(url), psycopg.connect(url) as connection:
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(_LOCK_TIMEOUT))
            for function, login in logins.items():
                _ensure_login(connection, login)
                _grant(connection, function, login.name)
    except psycopg.errors.InsufficientPrivilege as error:
        message = (
            "The login of DATABASE_URL needs CREATEROLE and must own the tables: each function gets its own login."
        )
        raise RolesRefused(message) from error


def schemas() -> set[str]:
    """Schemas with a table of anybody."""
    return {table.partition(".")[0] for tables in GRANTS.values() for table in tables}


def _ensure_login(connection: psycopg.Connection, login: Login) -> None:
    role, digest = sql.Identifier(login.name), digest_of(connection, login)
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login.name]).fetchone()
    verb = sql.SQL("ALTER ROLE" if known else "CREATE ROLE")
    connection.execute(sql.SQL("{} {} WITH LOGIN PASSWORD {}").format(verb, role, digest))


def digest_of(connection: "psycopg.Connection | psycopg.AsyncConnection", login: Login) -> str:
    """What is sent in place of the password, so that no log of statements holds it."""
    digest = connection.pgconn.encrypt_password(login.password.encode(), login.name.encode(), b"scram-sha-256")
    return digest.decode()


def _grant(connection: psycopg.Connection, function: str, name: str) -> None:
    role, tables = sql.Identifier(name), GRANTS[function]
    for schema in sorted(schemas()):
        values = {"schema": sql.Identifier(schema), "role": role}
        connection.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}").format(**values))
        connection.execute(sql.SQL("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM {role}").format(**values))
        verb = "GRANT USAGE ON SCHEMA {schema} TO {role}" if tables else "REVOKE ALL ON SCHEMA {schema} FROM {role}"
        connection.execute(sql.SQL(verb).format(**values))
    for table, privileges in tables.items():
        kinds = sql.SQL(", ").join(sql.SQL(kind) for kind in sorted(privileges))
        named = sql.Identifier(*table.split("."))
        connection.execute(sql.SQL("GRANT {} ON TABLE {} TO {}").format(kinds, named, role))
    for routine in EXECUTES.get(function, ()):
        connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(routine), role))
    if function in SCHEMA_MAKERS:
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, role))
    # A right to single columns is used in a transaction that says that it writes.
    if tables and all({kind for kind in kinds if "(" not in kind} == READ for kinds in tables.values()):
        connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role))
