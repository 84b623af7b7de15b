"""The database as a function sees it: the same server, with the rights of the function's own role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from dataforge.platform.db.database import Database

_IN_ROLES: "WeakKeyDictionary[Database, dict[str, Database]]" = WeakKeyDictionary()


def in_role(owner: Database, function: str) -> Database:
    """The database of `owner` with the rights of a function (`datasets-sql`); one pool per database and function."""
    known = _IN_ROLES.setdefault(owner, {})
    if function not in known:
        url = owner.engine.url.update_query_dict({"options": f"-c role={function}"})
        known[function] = Database(url.render_as_string(hide_password=False), pool_size=10)
    return known[function]


async def dispose_roles(owner: Database) -> None:
    """Close the pools that were made for a database."""
    for database in _IN_ROLES.pop(owner, {}).values():
        await database.dispose()


@asynccontextmanager
async def opened(url: str, *, pool_size: int) -> AsyncIterator[Database]:
    """A database as its owner sees it; closes its pool and those of the functions' roles at the end."""
    database = Database(url, pool_size=pool_size)
    try:
        yield database
    finally:
        await database.dispose()
        await dispose_roles(database)
