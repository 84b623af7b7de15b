"""Commands of the function `schema_deployer` that concern the platform's own tables."""

import asyncio
from typing import Any

from dataforge.kernel.errors import Conflict
from dataforge.platform.services import Platform


class MigrationBlocked(Conflict):
    """A migration waited too long for a lock; nothing was changed and it may be run again."""

    code = "migration_blocked"
    title = "A migration could not get its lock"


async def migrate(platform: Platform) -> dict[str, Any]:
    """Bring the platform's tables to the newest revision and the functions' logins to their rights; safe to repeat.

    Raises MigrationBlocked, and RolesRefused.
    """
    from psycopg.errors import LockNotAvailable
    from sqlalchemy.exc import OperationalError

    from dataforge.platform.db import roles
    from dataforge.platform.db.migrations import upgrade

    try:
        outcome = dict(await asyncio.to_thread(upgrade, platform.database_url()))
        await asyncio.to_thread(roles.apply, platform.database_url(), platform.database_logins())
    except (OperationalError, LockNotAvailable) as error:
        if getattr(getattr(error, "orig", error), "sqlstate", "") == "55P03":
            message = "Another transaction holds a lock the migration needs; nothing was changed. Run it again."
            raise MigrationBlocked(message) from error
        raise
    return outcome
