"""How many requests a minute a credential may send: counted in PostgreSQL, by all processes together.

One statement a request, only for credentials with a limit. Its row is locked for as long as that statement takes: the
table is not logged, so that no commit waits for a disk. While the database is away requests are let through: a
statement that could be taken must not be refused because nobody counts.
"""

import asyncio
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from dataforge.contexts.identity.contract import CredentialThrottled, XapiCredential
from dataforge.kernel.clock import Clock
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.kernel.throttling import Budget
from dataforge.platform.db.database import Database
from dataforge.platform.db.throttle import Throttle
from dataforge.platform.observability import logger

PATIENCE_SECONDS = 0.5
BREAK_SECONDS = 5.0
_AWAY = (TimeoutError, DataForgeError, OSError, SQLAlchemyError)


class StoredCredentialRates:
    """Keeps the contract's CredentialRates; counts nothing for BREAK_SECONDS after a failure."""

    def __init__(self, database: Database, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._open_until = 0.0

    async def spend(self, credential: XapiCredential) -> None:
        """Count a request; raises CredentialThrottled beyond the limit."""
        if credential.rate_limit is None or self._monotonic() < self._open_until:
            return
        wait = await self._wait(Budget("xapi_request", (credential.key_id,), credential.rate_limit))
        if wait is not None:
            message = Text(
                "This credential may send {rate_limit} requests a minute. Go on in {wait} s.",
                rate_limit=credential.rate_limit,
                wait=wait,
            )
            raise CredentialThrottled(message, headers={"Retry-After": str(wait)})

    async def _wait(self, budget: Budget) -> int | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._database.single_write() as connection:
                return await Throttle(connection, self._clock.now()).spend_one(budget)
        except _AWAY:
            self._open_until = self._monotonic() + BREAK_SECONDS
            logger.warning("requests of credentials are not counted", exc_info=True, pause_seconds=BREAK_SECONDS)
            return None
