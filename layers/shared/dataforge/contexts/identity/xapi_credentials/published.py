"""xAPI credentials outside the database: published to S3 on every change, read from there with a short cache.

See infra/adr/0004-xapi-credentials-without-the-database.md for why, and for how soon a revocation takes effect.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cachetools import TTLCache

from dataforge.contexts.identity.contract import SessionGrant, XapiCredential
from dataforge.contexts.identity.credential_tokens.domain import TOKEN_CHALLENGE
from dataforge.contexts.identity.sessions.domain import InvalidToken
from dataforge.contexts.identity.sign_in.domain import InvalidCredentials
from dataforge.contexts.identity.xapi_credentials.repository import XapiCredentials
from dataforge.kernel.texts import Text
from dataforge.platform.aws.clients import client
from dataforge.platform.aws.published import MAX_ENTRIES, PublishedDocuments
from dataforge.platform.db.database import Database
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.observability import logger

if TYPE_CHECKING:
    from dataforge.contexts.identity.credential_tokens.access_tokens import CredentialTokens
    from dataforge.contexts.identity.services import IdentityServices

PREFIX = "xapi-credentials/"
FRESH_SECONDS = 30  # how long a credential is believed without asking S3: the bound on a revocation
NOTE_EVERY = timedelta(minutes=1)
NOTE_SECONDS = 1.0
MAX_REASON = 500


class CredentialPublisher:
    """Writes the published form of a credential: everything needed to check it, and no secret."""

    def __init__(self, database: Database, bucket: str) -> None:
        self._database = database
        self._bucket = bucket

    async def publish(self, key_id: str) -> None:
        """Put the credential's current state into S3; the row lock keeps two publications in order."""
        async with self._database.transaction() as connection:
            stored = XapiCredentials(connection)
            row = await stored.lock(key_id)
            if row is None:
                return
            document = {
                "key_id": row.key_id,
                "secret_hash": row.secret_hash,
                "public_pem": row.public_pem,
                "workspace_id": str(row.workspace_id) if row.workspace_id else None,
                "scopes": row.scopes,
                "authority": row.authority,
                "rate_limit": row.rate_limit,
                "deduplicate": row.deduplicate,
                "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
                "suspended": row.suspended_at is not None,
            }
            await asyncio.to_thread(
                client("s3").put_object,
                Bucket=self._bucket,
                Key=f"{PREFIX}{key_id}.json",
                Body=json.dumps(document).encode(),
                ContentType="application/json",
            )
            await stored.mark_published(key_id)


class StoredWorkspaceCredentials:
    """Ends or suspends the credentials of a workspace; the outbox publishes what they are then."""

    def __init__(self, services: "IdentityServices") -> None:
        self._services = services

    async def revoke_all(self, workspace_id: UUID) -> None:
        """End them; a second time changes nothing."""
        from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
        from dataforge.contexts.identity.xapi_credentials.commands import revoke_credentials_of

        await run(self._services.unit_of_work(IdentityUnitOfWork), revoke_credentials_of, workspace_id)

    async def suspend_all(self, workspace_id: UUID, *, suspended: bool) -> None:
        """Let them wait, or work again; a second time changes nothing."""
        from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
        from dataforge.contexts.identity.xapi_credentials.commands import SuspendCredentials, suspend_credentials

        command = SuspendCredentials(workspace_id, suspended)
        await run(self._services.unit_of_work(IdentityUnitOfWork), suspend_credentials, command)


class StoredCredentialUses:
    """Writes `last_used_at`: by the loader for statements, which are sent without the database, else at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: TTLCache[str, datetime] = TTLCache(MAX_ENTRIES, NOTE_EVERY.total_seconds())

    async def note(self, used: Mapping[str, datetime]) -> None:
        """One statement for the keys whose use this worker has not stored within a minute."""
        due = {key: at for key, at in used.items() if key not in self._noted or at - self._noted[key] >= NOTE_EVERY}
        if not due:
            return
        async with self._database.transaction() as connection:
            await XapiCredentials(connection).record_uses(due)
        self._noted.update(due)

    async def note_at_once(self, key_id: str, at: datetime) -> None:
        """Store a use unless one was stored within a minute, or nothing answers."""
        if key_id in self._noted and at - self._noted[key_id] < NOTE_EVERY:
            return
        self._noted[key_id] = at  # first, so that a database that is away is asked once a minute only
        try:
            async with asyncio.timeout(NOTE_SECONDS), self._database.transaction() as connection:
                await XapiCredentials(connection).record_uses({key_id: at})
        except Exception:  # noqa: BLE001 - the request itself is what matters
            logger.warning("use of a credential not stored", exc_info=True, key_id=key_id)


class StoredCredentialRefusals:
    """Writes `last_refused_at` and its reason, from the function that refuses; it goes on whatever becomes of that."""

    def __init__(self, database: Database, known: "CredentialDirectory") -> None:
        self._database = database
        self._known = known
        self._noted: TTLCache[str, None] = TTLCache(MAX_ENTRIES, NOTE_EVERY.total_seconds())

    async def note(self, key_id: str, at: datetime, reason: str, *, known: bool = False) -> None:
        """Store the refusal unless the key is unknown or had one stored within a minute, or nothing answers."""
        if key_id in self._noted or not (known or self._known.knows(key_id)):
            return
        self._noted[key_id] = None  # first, so that a database that is away is asked once a minute only
        try:
            async with asyncio.timeout(NOTE_SECONDS), self._database.transaction() as connection:
                await XapiCredentials(connection).record_refusal(key_id, at, reason[:MAX_REASON])
        except Exception:  # noqa: BLE001 - the refusal itself is what matters
            logger.warning("refusal of a credential not stored", exc_info=True, key_id=key_id)


class CredentialDirectory:
    """Verifies xAPI keys and secrets from S3, without the database; `tokens` are made when the first one comes."""

    def __init__(self, bucket: str, tokens: "Callable[[], CredentialTokens] | None" = None) -> None:
        self._documents = PublishedDocuments(bucket, PREFIX, fresh_seconds=FRESH_SECONDS)
        self._tokens = tokens

    async def verify(self, key_id: str, secret: str) -> XapiCredential:
        """The credential of a key and secret; raises InvalidCredentials, or Unavailable if S3 was never reached."""
        document = None
        if key_id.isascii() and key_id.replace("_", "").replace("-", "").isalnum() and len(key_id) <= 40:
            document = await self._documents.find(key_id)
        given = hashlib.sha256(secret.encode()).hexdigest()
        expected = document["secret_hash"] if document else "0" * 64
        if not hmac.compare_digest(given, expected) or document is None or not _counts(document):
            message = Text("The xAPI key or secret is wrong, or the credential was revoked.")
            challenge = {"WWW-Authenticate": 'Basic realm="dataforge-xapi", charset="UTF-8"'}
            raise InvalidCredentials(message, headers=challenge)
        return _credential(document)

    async def verify_token(self, token: str) -> XapiCredential:
        """The credential an access token was given to, with the token's scopes as far as it still has them.

        Raises InvalidToken, also for a credential that was revoked; Unavailable if S3 was never reached.
        """
        if self._tokens is None:
            message = Text("Access tokens are not taken here.")
            raise InvalidToken(message)
        claims = await self._tokens().read(token)
        document = await self._documents.find(claims.key_id)
        if document is None or not _counts(document):
            message = Text("The credential that this access token was given to was revoked.")
            raise InvalidToken(message, headers=TOKEN_CHALLENGE)
        credential = _credential(document)
        return replace(credential, scopes=frozenset(filter(credential.allows, claims.scopes)))

    def knows(self, key_id: str) -> bool:
        """Whether the key was found here lately."""
        return key_id in self._documents


def _counts(document: Mapping[str, Any]) -> bool:
    """Whether a credential was not revoked, does not wait and, if it is for a session, has not outlived it."""
    expires_at = document.get("expires_at")
    expired = expires_at is not None and datetime.fromisoformat(expires_at) <= datetime.now(UTC)
    return document["revoked_at"] is None and not document.get("suspended") and not expired


def _grant(found: Mapping[str, Any] | None) -> SessionGrant | None:
    if found is None:
        return None
    session_id, registration = UUID(found["session_id"]), UUID(found["registration"])
    return SessionGrant(session_id, registration, found["activity_id"], found["actor"])


def _credential(document: Mapping[str, Any]) -> XapiCredential:
    return XapiCredential(
        key_id=document["key_id"],
        scopes=frozenset(document["scopes"]),
        authority=document["authority"],
        public_pem=document["public_pem"],
        workspace_id=UUID(document["workspace_id"]) if document["workspace_id"] else None,
        rate_limit=document.get("rate_limit"),
        # What was published before one could choose goes on as it was.
        deduplicate=document.get("deduplicate", True),
        session=_grant(document.get("session")),
    )
