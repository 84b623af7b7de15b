"""The database as a function sees it: the same server, with the rights of the function's own role."""

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
