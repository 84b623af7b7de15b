"""Commands of the function `schema_deployer` that concern the platform's own tables."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from dataforge.kernel.errors import Conflict


class DeployerServices(Protocol):
    """What these commands use of the composition root."""

    def database_url(self) -> str:
        """The database to migrate."""
        ...


class MigrationBlocked(Conflict):
    """A migration waited too long for a lock; nothing was changed and it may be run again."""

    code = "migration_blocked"
    title = "A migration could not get its lock"


async def migrate(_payload: Mapping[str, Any], services: DeployerServices) -> dict[str, Any]:
    """Bring the platform's tables to the newest revision; safe to repeat. Raises MigrationBlocked."""
    from sqlalchemy.exc import OperationalError

    from dataforge.platform.db.migrations import upgrade

    try:
        return dict(await asyncio.to_thread(upgrade, services.database_url()))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") == "55P03":
            message = "Another transaction holds a lock the migration needs; nothing was changed. Run it again."
            raise MigrationBlocked(message) from error
        raise
