"""The write SQL of signing keys."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.tables import signing_keys

_LOCK = text("SELECT pg_advisory_xact_lock(4022)")  # two rotations take turns


class SigningKeys:
    """Public keys in `identity.signing_keys`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def replace_active(self, kid: str, public_jwk: Mapping[str, object], until: datetime) -> set[str]:
        """Make the key the active one; the one before is believed until an instant. Returns the kids still believed."""
        state, believed = signing_keys.c.state, signing_keys.c.not_after >= self._now
        await self._connection.execute(_LOCK)
        for statement in (
            update(signing_keys).where(state == "retiring", ~believed).values(state="retired"),
            update(signing_keys).where(state == "active").values(state="retiring", not_after=until),
            insert(signing_keys).values(kid=kid, public_jwk=dict(public_jwk), state="active", created_at=self._now),
        ):
            await self._connection.execute(statement)
        return set(await self._connection.scalars(select(signing_keys.c.kid).where(state != "retired")))
