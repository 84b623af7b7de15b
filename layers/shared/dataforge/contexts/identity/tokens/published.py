"""Whose a personal access token is: looked up with every request, so that nothing it loses goes on for a moment."""

import asyncio
from datetime import datetime, timedelta

from dataforge.contexts.identity.sessions.domain import InvalidToken, token_hash
from dataforge.contexts.identity.tokens.domain import PersonalToken, is_token
from dataforge.contexts.identity.tokens.queries import find_token
from dataforge.contexts.identity.tokens.repository import record_use
from dataforge.kernel.clock import Clock
from dataforge.kernel.principal import Principal
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database
from dataforge.platform.observability import logger

NOTE_EVERY = timedelta(minutes=1)
NOTE_SECONDS = 1.0


class StoredTokens:
    """Checks tokens in the database, and writes when they were used."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def authenticate(self, secret: str) -> Principal:
        """The person of a token, as they are now; raises InvalidToken, AccountSuspended."""
        token, now = None, self._clock.now()
        if is_token(secret):
            async with self._database.single_read() as connection:
                token = await find_token(connection, token_hash(secret))
        if token is None:
            message = Text("There is no such personal access token; copy it whole, or make another one.")
            raise InvalidToken(message)
        principal = token.principal(now)
        if token.last_used_at is None or now - token.last_used_at >= NOTE_EVERY:
            await self._note(token, now)
        return principal

    async def _note(self, token: PersonalToken, now: datetime) -> None:
        try:
            async with asyncio.timeout(NOTE_SECONDS), self._database.read_write() as connection:
                await record_use(connection, token.id, now)
        except Exception:  # noqa: BLE001 - the request itself is what matters
            logger.warning("use of a token not stored", exc_info=True, token_id=str(token.id))
