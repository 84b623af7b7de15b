"""Commands of the function `schema_deployer` that concern the platform's own tables."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from dataforge.kernel.errors import Conflict

if TYPE_CHECKING:
    from dataforge.platform.db.roles import Login


class DeployerServices(Protocol):
    """What these commands use of the composition root."""

    def database_url(self) -> str:
        """The database to migrate."""
        ...

    def database_logins(self) -> "Mapping[str, Login]":
        """The functions' logins by function; empty where all share one."""
        ...


class MigrationBlocked(Conflict):
    """A migration waited too long for a lock; nothing was changed and it may be run again."""

    code = "migration_blocked"
    title = "A migration could not get its lock"


async def migrate(_payload: Mapping[str, Any], services: DeployerServices) -> dict[str, Any]:
    """Bring the platform's tables to the newest revision and the functions' logins to their rights; safe to repeat.

    Raises MigrationBlocked, and RolesRefused.
    """
    from psycopg.errors import LockNotAvailable
    from sqlalchemy.exc import OperationalError

    from dataforge.platform.db import roles
    from dataforge.platform.db.migrations import upgrade

    try:
        found = dict(await asyncio.to_thread(upgrade, services.database_url()))
        await asyncio.to_thread(roles.apply, services.database_url(), services.database_logins())
    except (OperationalError, LockNotAvailable) as error:
        if getattr(getattr(error, "orig", error), "sqlstate", "") == "55P03":
            message = "Another transaction holds a lock the migration needs; nothing was changed. Run it again."
            raise MigrationBlocked(message) from error
        raise
    return found
