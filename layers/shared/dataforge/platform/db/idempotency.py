"""Idempotency-Key on POST, kept in the transaction of the command it protects."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.kernel.errors import IdempotencyInProgress, IdempotencyKeyReused
from dataforge.kernel.texts import Text
from dataforge.platform.db.tables import idempotency_keys


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """What identifies a repeated request: whose it is, its key, and the hash of method, path and body."""

    scope: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The answer the first request got."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


async def claim(connection: AsyncConnection, request: IdempotentRequest) -> StoredResponse | None:
    """Take the key for this transaction, or return the first answer.

    Raises IdempotencyInProgress while another transaction holds the key and IdempotencyKeyReused if the body differs.
    """
    lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 20))")
    if not await connection.scalar(lock, {"name": f"{request.scope}\x1f{request.key}"}):
        message = Text("The first request with this Idempotency-Key has not ended; repeat this one in a moment.")
        raise IdempotencyInProgress(message, headers={"Retry-After": "1"})
    return await recall(connection, request)


async def recall(connection: AsyncConnection, request: IdempotentRequest) -> StoredResponse | None:
    """The first answer, if there is one; raises IdempotencyKeyReused if the body differs."""
    stored = (
        await connection.execute(
            select(idempotency_keys).where(
                idempotency_keys.c.scope == request.scope, idempotency_keys.c.key == request.key
            )
        )
    ).one_or_none()
    if stored is None:
        return None
    if stored.fingerprint != request.fingerprint:
        message = Text("This Idempotency-Key was sent before with another body; use a new key for a new request.")
        raise IdempotencyKeyReused(message)
    return StoredResponse(stored.status, bytes(stored.body), dict(stored.headers))


async def store(
    connection: AsyncConnection, request: IdempotentRequest, response: StoredResponse, now: datetime
) -> None:
    """Keep the answer; it becomes visible with the command's own changes or not at all."""
    await connection.execute(
        insert(idempotency_keys).values(
            scope=request.scope,
            key=request.key,
            fingerprint=request.fingerprint,
            status=response.status,
            headers=response.headers,
            body=response.body,
            created_at=now,
        )
    )


async def forget(connection: AsyncConnection, request: IdempotentRequest) -> None:
    """Forget the answer: there is another one, or the request failed after it was promised."""
    mine = (idempotency_keys.c.scope == request.scope, idempotency_keys.c.key == request.key)
    await connection.execute(delete(idempotency_keys).where(*mine))
