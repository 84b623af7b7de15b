"""The public keys that access tokens are checked with."""

import time
from typing import Any

import jwt
from sqlalchemy import select

from dataforge.contexts.identity.signing_keys.domain import KEYS_SECONDS
from dataforge.contexts.identity.tables import signing_keys
from dataforge.kernel.clock import Clock
from dataforge.platform.db.database import Database

_UNKNOWN_KID_SECONDS = 10  # how often an unknown kid may cause a read, so that forged tokens cannot flood the database


class PublicKeys:
    """The public keys in `identity.signing_keys`, active and retiring, kept for five minutes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys: dict[str, Any] = {}
        self._read_at = float("-inf")
        self._asked_at = float("-inf")  # when an unknown kid last caused a read

    async def load(self, *, fresh: bool = False) -> dict[str, Any]:
        """Keys by kid, newest first: `{jwk, state, key}`."""
        if fresh or time.monotonic() - self._read_at > KEYS_SECONDS:
            now = self._clock.now()
            async with self._database.read_only() as connection:
                rows = (await connection.execute(select(signing_keys).where(signing_keys.c.state != "retired"))).all()
            self._keys = {
                row.kid: {"jwk": row.public_jwk, "state": row.state, "key": jwt.PyJWK(row.public_jwk).key}
                for row in sorted(rows, key=lambda row: row.created_at, reverse=True)
                if row.not_after is None or row.not_after > now
            }
            self._read_at = time.monotonic()
        return self._keys

    async def find(self, kid: str) -> Any:  # noqa: ANN401 - a key object of the cryptography package
        """The key of a token's `kid`; raises InvalidKeyError."""
        keys = await self.load()
        if kid not in keys and time.monotonic() - self._asked_at > _UNKNOWN_KID_SECONDS:
            self._asked_at = time.monotonic()
            keys = await self.load(fresh=True)
        if kid not in keys:
            raise jwt.InvalidKeyError
        return keys[kid]["key"]

    async def active(self) -> str | None:
        """The kid that signs now."""
        return next((kid for kid, key in (await self.load()).items() if key["state"] == "active"), None)

    async def jwks(self) -> dict[str, object]:
        """The JSON Web Key Set (RFC 7517 §5): active and retiring keys."""
        return {"keys": [key["jwk"] for key in (await self.load()).values()]}

    def forget(self) -> None:
        """Read them again at the next use."""
        self._read_at = float("-inf")
