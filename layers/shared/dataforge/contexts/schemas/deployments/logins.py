"""The login of a workspace: it owns the workspace's schema and nothing else, and opens for one run of a deployment.

What people wrote into a target (defaults, backfills, queries of views) is run with it on the live schema. It is a login
and not a role that is set, because what sets a role can also set it back.
"""

import secrets
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from dataforge.contexts.schemas.designs.domain.names import trash_of
from dataforge.platform.db.roles import Login, digest_of

_END_SESSIONS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = %s"
_ROLE = "SELECT pg_has_role(current_user, oid, 'USAGE') FROM pg_roles WHERE rolname = %s"


async def ensure_schema(owner: AsyncConnection[Any], namespace: str) -> None:
    """Make the schema, the trash beside it and the role that owns both, as far as they are not there."""
    role = sql.Identifier(namespace)
    found = await (await owner.execute(_ROLE, [namespace])).fetchone()
    if found is None:
        await owner.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(role))
    if found is None or not found[0]:
        # Its things are looked at, and can be repaired, by the owner of everything else.
        await owner.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    for schema in (role, sql.Identifier(trash_of(namespace))):
        await owner.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(schema, role))


async def drop_schema(owner: AsyncConnection[Any], namespace: str) -> None:
    """Drop the schema and its trash with all that is in them, and the role that owns them, as far as they are there."""
    role = sql.Identifier(namespace)
    found = await (await owner.execute(_ROLE, [namespace])).fetchone()
    if found is not None and not found[0]:
        await owner.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    trash = sql.Identifier(trash_of(namespace))
    await owner.execute(sql.SQL("DROP SCHEMA IF EXISTS {}, {} CASCADE").format(role, trash))
    if found is not None:
        await owner.execute(sql.SQL("DROP OWNED BY {}").format(role))
        await owner.execute(sql.SQL("DROP ROLE {}").format(role))


async def end_sessions(owner: AsyncConnection[Any], namespace: str) -> None:
    """End what a worker that died has left at work: its server process would finish the statement and keep its locks.

    For whoever holds the lock of the schema, and so is the only one who may be signed in with its login.
    """
    await owner.execute(_END_SESSIONS, [namespace])


async def open_login(owner: AsyncConnection[Any], url: str, namespace: str) -> AsyncConnection[Any]:
    """A connection of the workspace's login, with a password that nobody else has and that is kept nowhere."""
    login = Login(namespace, secrets.token_urlsafe(32))
    statement = "ALTER ROLE {} WITH LOGIN PASSWORD {}"
    await owner.execute(sql.SQL(statement).format(sql.Identifier(namespace), digest_of(owner, login)))
    address = psycopg.conninfo.make_conninfo(url, user=login.name, password=login.password)
    return await AsyncConnection.connect(
        address, autocommit=True, prepare_threshold=None, application_name="dataforge-deployment"
    )


async def close_login(owner: AsyncConnection[Any], namespace: str) -> None:
    """Nobody can sign in with the login until the next run."""
    await owner.execute(sql.SQL("ALTER ROLE {} WITH NOLOGIN PASSWORD NULL").format(sql.Identifier(namespace)))
