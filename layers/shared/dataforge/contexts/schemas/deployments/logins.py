"""The login of a workspace: it owns the workspace's schema and nothing else, and opens for one run of a deployment.

What people wrote into a target (defaults, backfills, queries of views) is run with it on the live schema. It is a login
and not a role that is set, because what sets a role can also set it back.
"""

import secrets
from typing import Any

import psycopg
from psycopg import AsyncConnection, errors, sql

from dataforge.contexts.schemas.designs.domain.names import trash_of
from dataforge.platform.db.roles import Login, digest_of

_END_SESSIONS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = %s"
_ROLE = "SELECT pg_has_role(current_user, oid, 'USAGE') FROM pg_roles WHERE rolname = %s"
# A sequence that belongs to a column goes with its table.
_FOREIGN_THINGS = """
SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                      WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
 WHERE n.nspname = %(namespace)s AND r.rolname <> %(namespace)s AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
UNION ALL
SELECT 'TYPE', t.typname
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_roles r ON r.oid = t.typowner
 WHERE n.nspname = %(namespace)s AND r.rolname <> %(namespace)s AND t.typtype IN ('e', 'd', 'r')
UNION ALL
SELECT 'STATISTICS', s.stxname
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace JOIN pg_roles r ON r.oid = s.stxowner
 WHERE n.nspname = %(namespace)s AND r.rolname <> %(namespace)s
"""


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


async def own_all(owner: AsyncConnection[Any], namespace: str, lock_timeout: str) -> None:
    """Give what others have made in the schema to its login, so that plans can change it.

    What the owner of the database may not give away stays as it is, and so does what somebody is at.
    """
    for noun, name in await (await owner.execute(_FOREIGN_THINGS, {"namespace": namespace})).fetchall():
        statement = sql.SQL("ALTER {} {} OWNER TO {}").format(
            sql.SQL(noun), sql.Identifier(namespace, name), sql.Identifier(namespace)
        )
        try:
            async with owner.transaction():
                await owner.execute("SELECT set_config('lock_timeout', %s, true)", [lock_timeout])
                await owner.execute(statement)
        except (errors.InsufficientPrivilege, errors.LockNotAvailable):
            continue


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
