"""Ids and requests registered before the answer; statements are accepted while the database is away.

Why the bound holds: see `consistency`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.activities.domain import ActivityDefinition
from dataforge.contexts.lrs.activities.repository import SeenDefinitions, merge_acceptable
from dataforge.contexts.lrs.consistency import FRESH_SECONDS, MARGIN_SECONDS, PATIENCE_SECONDS, SENDING_SECONDS
from dataforge.contexts.lrs.statements.domain import VOIDED, has_content, read_statement
from dataforge.contexts.lrs.statements.domain.claims import Claim
from dataforge.kernel.errors import DataForgeError
from dataforge.platform.db.database import Database, DatabaseUnavailable
from dataforge.platform.observability import logger

BREAK_SECONDS = 5.0
BOUND_SECONDS = 1.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Whatever keeps the database from answering, a missing table before the first migration included.
_AWAY = (TimeoutError, DataForgeError, OSError, SQLAlchemyError)

_CLAIM = text(
    "INSERT INTO records.statement_claims (statement_id, content_sha256, claimed_at) "
    "SELECT statement_id, content_sha256, clock_timestamp() "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:hashes AS bytea[])) AS c (statement_id, content_sha256) "
    "ORDER BY statement_id ON CONFLICT DO NOTHING"
)
_CONFLICTS = text(
    "WITH given AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:hashes AS bytea[])) AS c (id, hash)) "
    "SELECT g.id FROM given g JOIN records.statement_claims c ON c.statement_id = g.id "
    "WHERE c.content_sha256 <> g.hash UNION "
    "SELECT g.id FROM given g JOIN records.statements_raw r ON r.statement_id = g.id WHERE r.payload_sha256 <> g.hash"
)
_BODIES = text(
    "SELECT statement_id, payload::text AS payload FROM lrs.statements WHERE statement_id = ANY(CAST(:ids AS uuid[]))"
)
_REGISTER = text(
    "INSERT INTO records.intake (request_id, stored_at) SELECT :request_id, :stored_at "
    f"WHERE CAST(:stored_at AS timestamptz) >= clock_timestamp() - interval '{FRESH_SECONDS} seconds' "
    "ON CONFLICT (request_id) DO NOTHING RETURNING stored_at"
)
_PEND = text(
    "INSERT INTO lrs.pending_statements (statement_id, request_id, payload, voids, accepted_at) "
    "SELECT CAST(s #>> '{id}' AS uuid), :request_id, CAST(s AS text), "
    f"CASE WHEN s #>> '{{verb,id}}' = '{VOIDED}' THEN CAST(s #>> '{{object,id}}' AS uuid) END, clock_timestamp() "
    "FROM (SELECT e -> 'statement' AS s FROM json_array_elements(CAST(:statements AS json)) AS e) AS sent "
    "ORDER BY 1 ON CONFLICT DO NOTHING"
)
_WITHDRAW_PENDING = text("DELETE FROM lrs.pending_statements WHERE request_id = :id")
_FORGET = text("DELETE FROM records.intake WHERE request_id = ANY(CAST(:ids AS uuid[]))")
_REGISTER_NOW = text(
    "INSERT INTO records.intake (request_id) SELECT unnest(CAST(:ids AS uuid[])) RETURNING request_id, stored_at"
)
_BOUND = text(
    f"SELECT least((SELECT min(stored_at) - interval '{SENDING_SECONDS} seconds' FROM records.intake), "
    f"clock_timestamp() - interval '{MARGIN_SECONDS} seconds')"
)


@dataclass(frozen=True, slots=True)
class Registration:
    """What the database said before statements were queued.

    `conflicts` are ids that belong to another content; `registered` is False when the database did not answer in time.
    """

    registered: bool
    conflicts: tuple[UUID, ...] = ()


async def register_arrival(database: Database, request_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Register requests that come to the loader without an entry that counts; returns the new `stored` of each.

    Raises DatabaseUnavailable when that took so long that the bound may have passed the entries.
    """
    started = time.monotonic()
    ids = sorted(request_ids)
    async with database.transaction() as connection:
        await connection.execute(_FORGET, {"ids": ids})
        found = {row.request_id: row.stored_at for row in await connection.execute(_REGISTER_NOW, {"ids": ids})}
    if time.monotonic() - started > PATIENCE_SECONDS:
        message = "The database is too slow to register the requests; they are tried again."
        raise DatabaseUnavailable(message)
    return found


async def _other_contents(
    connection: AsyncConnection, ids: Sequence[UUID], claims: Sequence[Claim]
) -> tuple[UUID, ...]:
    """Those of the ids whose stored statements say something else, whatever their hashes."""
    if not ids:
        return ()
    given = {claim.statement_id: claim.content_sha256 for claim in claims}
    rows = await connection.execute(_BODIES, {"ids": list(ids)})
    same = {row.statement_id for row in rows if has_content(read_statement(row.payload), given[row.statement_id])}
    return tuple(statement_id for statement_id in ids if statement_id not in same)


class Intake:
    """Claimed ids and registered requests; skipped for BREAK_SECONDS after a failure, so that accepting never fails."""

    def __init__(
        self,
        database: Database,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._monotonic = monotonic
        self._patience = patience_seconds
        self._open_until = 0.0
        self._seen = SeenDefinitions()
        self._bound = EPOCH
        self._bound_at = float("-inf")

    async def register(
        self,
        request_id: UUID,
        stored_at: datetime,
        claims: Sequence[Claim],
        definitions: Mapping[str, ActivityDefinition],
        statements: bytes,
    ) -> Registration:
        """Claim the ids, register the request and merge definitions; conflicting ids leave nothing behind.

        From then on the statements (`statements_json`) can be read by their ids.
        """
        if self._monotonic() < self._open_until:
            return Registration(registered=False)
        started = self._monotonic()
        try:
            async with asyncio.timeout(self._patience):
                return await self._register(request_id, stored_at, claims, self._seen.unseen(definitions), statements)
        except _AWAY:
            self._break("statements are accepted without the database", self._monotonic() - started)
            return Registration(registered=False)

    async def _register(
        self,
        request_id: UUID,
        stored_at: datetime,
        claims: Sequence[Claim],
        definitions: Mapping[str, ActivityDefinition],
        statements: bytes,
    ) -> Registration:
        ordered = sorted(claims, key=lambda claim: claim.statement_id)
        given = {"ids": [item.statement_id for item in ordered], "hashes": [item.content_sha256 for item in ordered]}
        async with self._database.connect() as connection:
            if claims:
                await connection.execute(_CLAIM, given)
                # A second statement, so that claims which others committed meanwhile are seen.
                different = list((await connection.execute(_CONFLICTS, given)).scalars())
                conflicts = await _other_contents(connection, different, ordered)
                if conflicts:
                    await connection.rollback()
                    return Registration(registered=False, conflicts=conflicts)
            found = (await connection.execute(_REGISTER, {"request_id": request_id, "stored_at": stored_at})).scalar()
            await connection.execute(_PEND, {"request_id": request_id, "statements": statements.decode()})
            await merge_acceptable(connection, definitions)
            await connection.commit()
        self._seen.add(definitions)
        return Registration(registered=found is not None)

    async def withdraw(self, request_id: UUID) -> None:
        """Forget a request that was not queued; what cannot be withdrawn now is cleaned up by maintenance."""
        with suppress(*_AWAY):
            async with asyncio.timeout(self._patience), self._database.transaction() as connection:
                await connection.execute(_FORGET, {"ids": [request_id]})
                await connection.execute(_WITHDRAW_PENDING, {"id": request_id})

    async def consistent_through(self) -> datetime:
        """The bound, at most BOUND_SECONDS old; the last known one (at first 1970) while the database is away."""
        now = self._monotonic()
        if now - self._bound_at < BOUND_SECONDS or now < self._open_until:
            return self._bound
        try:
            async with asyncio.timeout(self._patience), self._database.connect() as connection:
                found: datetime = (await connection.execute(_BOUND)).scalar_one()
            self._bound, self._bound_at = max(self._bound, found), now
        except _AWAY:
            self._break("the consistency bound stands still without the database", self._monotonic() - now)
        return self._bound

    def _break(self, message: str, waited: float) -> None:
        self._open_until = self._monotonic() + BREAK_SECONDS
        logger.warning(message, exc_info=True, waited_ms=round(waited * 1000), pause_seconds=BREAK_SECONDS)
