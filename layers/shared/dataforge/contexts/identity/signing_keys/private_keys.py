"""The private keys that access tokens are signed with; they live in Secrets Manager."""

import asyncio
from datetime import timedelta
from typing import Protocol

import jwt

from dataforge.contexts.identity.signing_keys.domain import ALGORITHM, KEYS_SECONDS, LEEWAY_SECONDS, NoSigningKey
from dataforge.contexts.identity.signing_keys.public_keys import PublicKeys
from dataforge.contexts.identity.signing_keys.repository import SigningKeys
from dataforge.kernel.clock import Clock
from dataforge.kernel.ids import uuid7
from dataforge.kernel.texts import Text
from dataforge.platform.aws.secrets import JsonSecrets
from dataforge.platform.db.database import Database


class SigningSettings(Protocol):
    """The settings keys are kept by."""

    @property
    def access_token_seconds(self) -> int: ...
    @property
    def signing_keys_secret_arn(self) -> str: ...


class PrivateKeys:
    """Signs with the active key, and rotates it."""

    def __init__(
        self, database: Database, public: PublicKeys, secrets: JsonSecrets, settings: SigningSettings, clock: Clock
    ) -> None:
        self._database = database
        self._public = public
        self._secrets = secrets
        self._arn = settings.signing_keys_secret_arn
        self._lifetime = timedelta(seconds=settings.access_token_seconds)
        self._clock = clock

    async def active(self) -> tuple[str, str]:
        """Kid and PEM of the key that signs now; raises NoSigningKey before the first was made."""
        kid = await self._public.active()
        private = (await self._read(kid)).get(kid) if kid else None
        if kid is None or private is None:
            message = Text("There is no signing key yet; the operator makes one with the command rotate_signing_keys.")
            raise NoSigningKey(message)
        return kid, private

    async def _read(self, wanted: str) -> dict[str, str]:
        keys = (await asyncio.to_thread(self._secrets.read, self._arn)).get("keys", {})
        if wanted not in keys:  # rotated since the secret was cached
            keys = (await asyncio.to_thread(self._secrets.read, self._arn, fresh=True)).get("keys", {})
        return dict(keys)

    async def rotate(self) -> str:
        """Make a new active key; the old one stays valid until every token it signed has expired. Returns the kid."""
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        kid = uuid7().hex
        jwk = jwt.get_algorithm_by_name(ALGORITHM).to_jwk(private.public_key(), as_dict=True)
        now = self._clock.now()
        until = now + self._lifetime + timedelta(seconds=2 * LEEWAY_SECONDS + KEYS_SECONDS)
        async with self._database.transaction() as connection:
            stored = SigningKeys(connection, now)
            kept = await stored.replace_active(kid, {**jwk, "kid": kid, "alg": ALGORITHM, "use": "sig"}, until)
            # The secret is written before the commit: a public key without its private half must never become active.
            known = await asyncio.to_thread(self._secrets.read, self._arn, fresh=True)
            private_keys = {name: value for name, value in known.get("keys", {}).items() if name in kept}
            await asyncio.to_thread(self._secrets.write, self._arn, {"keys": {**private_keys, kid: pem}})
        self._public.forget()
        return kid

    async def ensure(self) -> str:
        """The active key's kid; makes another when there is none, or when its private half is gone."""
        self._public.forget()
        active = await self._public.active()
        private = (await asyncio.to_thread(self._secrets.read, self._arn, fresh=True)).get("keys", {})
        return active if active is not None and active in private else await self.rotate()
