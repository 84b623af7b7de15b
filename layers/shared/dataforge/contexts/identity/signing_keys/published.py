"""Public signing keys outside the database: one object each, for functions that check tokens while it is away.

A document is `{"jwk", "not_after"}`. They are apart by key, so that whoever knows an older set of keys never replaces a
newer one.
"""

import json
from datetime import datetime
from typing import Any

import jwt
from sqlalchemy import select

from dataforge.contexts.identity.signing_keys.domain import KEYS_SECONDS
from dataforge.contexts.identity.signing_keys.public_keys import PublicKeys
from dataforge.contexts.identity.tables import signing_keys
from dataforge.platform.aws.published import PublishedDocuments
from dataforge.platform.aws.s3 import AsyncObjects
from dataforge.platform.db.database import Database

PREFIX = "xapi-credentials/signing-keys/"


class KeyPublisher:
    """Writes the public keys to where tokens of credentials are checked."""

    def __init__(self, database: Database, public: PublicKeys, objects: AsyncObjects) -> None:
        self._database = database
        self._public = public
        self._objects = objects
        self._ensured = set[str]()

    async def publish(self) -> None:
        """Publish every key with the instant from which it no longer counts; again it writes the same."""
        async with self._database.read_only() as connection:
            rows = (await connection.execute(select(signing_keys))).all()
        for row in rows:
            await self._objects.put(_key(row.kid), _document(row.public_jwk, row.not_after))

    async def ensure(self, kid: str) -> None:
        """Publish the key that signs unless it is published; asked once in this process."""
        if kid in self._ensured:
            return
        known = await self._public.load()
        if kid not in known:
            known = await self._public.load(fresh=True)
        await self._objects.put_if_absent(_key(kid), _document(known[kid]["jwk"], None))
        self._ensured.add(kid)


class PublishedKeys:
    """Public keys as they are published, each believed for five minutes."""

    def __init__(self, bucket: str) -> None:
        self._documents = PublishedDocuments(bucket, PREFIX, fresh_seconds=KEYS_SECONDS)
        self._keys: dict[str, Any] = {}

    async def find(self, kid: str, now: datetime) -> Any:  # noqa: ANN401 - a key object of the cryptography package
        """The key; raises InvalidKeyError when there is none, or it no longer counts."""
        document = await self._documents.find(kid)
        until = document["not_after"] if document else None
        if document is None or (until is not None and now > datetime.fromisoformat(until)):
            raise jwt.InvalidKeyError
        if kid not in self._keys:
            self._keys[kid] = jwt.PyJWK(document["jwk"]).key
        return self._keys[kid]


def _key(kid: str) -> str:
    return f"{PREFIX}{kid}.json"


def _document(jwk: object, not_after: datetime | None) -> bytes:
    return json.dumps({"jwk": jwk, "not_after": not_after.isoformat() if not_after else None}).encode()
