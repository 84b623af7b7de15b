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

from dataforge.contexts.lrs.activities.domain import ActivityDefinition, merged_definitions
from dataforge.contexts.lrs.activities.repository import SeenDefinitions, merge_acceptable
from dataforge.contexts.lrs.consistency import FRESH_SECONDS, MARGIN_SECONDS, PATIENCE_SECONDS, SENDING_SECONDS
from dataforge.contexts.lrs.statements.domain import VOIDED, has_content, read_statement
from dataforge.contexts.lrs.statements.domain.claims import Claim
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.texts import Text
from dataforge.platform.db.database import Database, DatabaseUnavailable
from dataforge.platform.db.refusals import refused
from dataforge.platform.gathering import Gathering
from dataforge.platform.observability import logger

BREAK_SECONDS = 5.0
_MOST_TOGETHER = 16
"""Requests in one transaction; more would keep the first of them waiting."""
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
_CLAIMED_OTHERWISE = text(
    "SELECT g.id FROM unnest(CAST(:ids AS uuid[]), CAST(:hashes AS bytea[])) AS g (id, hash) "
    "JOIN records.statement_claims c ON c.statement_id = g.id WHERE c.content_sha256 <> g.hash "
    "AND NOT EXISTS (SELECT 1 FROM records.statements_raw r WHERE r.statement_id = g.id)"
)
_FORGET_CLAIMS = text(
    "DELETE FROM records.statement_claims c USING records.statements_raw r "
    "WHERE c.statement_id = ANY(CAST(:ids AS uuid[])) AND r.statement_id = c.statement_id"
)
_BODIES = text(
    "SELECT statement_id, payload::text AS payload FROM lrs.statements WHERE statement_id = ANY(CAST(:ids AS uuid[]))"
)
# One statement, because most requests need no other: neither ids to claim nor definitions to merge.
_REGISTER = text(
    "WITH sent AS MATERIALIZED (SELECT CAST(r ->> 'request' AS uuid) AS request_id, "
    "CAST(r ->> 'stored' AS timestamptz) AS stored_at, r -> 'statements' AS statements "
    "FROM json_array_elements(CAST(:requests AS json)) AS r), "
    "pended AS (INSERT INTO lrs.pending_statements (statement_id, request_id, payload, voids, accepted_at) "
    "SELECT CAST(s #>> '{id}' AS uuid), request_id, CAST(s AS text), "
    f"CASE WHEN s #>> '{{verb,id}}' = '{VOIDED}' THEN CAST(s #>> '{{object,id}}' AS uuid) END, clock_timestamp() "
    "FROM (SELECT sent.request_id, e -> 'statement' AS s FROM sent, json_array_elements(sent.statements) AS e) AS each "
    "ORDER BY 1 ON CONFLICT DO NOTHING) "
    "INSERT INTO records.intake (request_id, stored_at) SELECT request_id, stored_at FROM sent "
    f"WHERE stored_at >= clock_timestamp() - interval '{FRESH_SECONDS} seconds' "
    "ON CONFLICT (request_id) DO NOTHING RETURNING request_id"
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
        message = Text("The database is too slow to register the requests; they are tried again.")
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


@dataclass(frozen=True, slots=True)
class _Request:
    """What is registered of one request; `definitions` are those that were not merged lately."""

    request_id: UUID
    stored_at: datetime
    claims: Sequence[Claim]
    definitions: Mapping[str, ActivityDefinition]
    statements: bytes


class _ConflictAmong(Exception):
    """An id among those of several requests has another content."""


async def _claim(connection: AsyncConnection, claims: Sequence[Claim]) -> tuple[UUID, ...]:
    """Claim ids, in order; returns those that belong to another content."""
    given = {"ids": [item.statement_id for item in claims], "hashes": [item.content_sha256 for item in claims]}
    await connection.execute(_CLAIM, given)
    # A second statement, so that claims which others committed meanwhile are seen.
    different = list((await connection.execute(_CONFLICTS, given)).scalars())
    return await _other_contents(connection, different, claims)


async def claim_unstored(connection: AsyncConnection, claims: Sequence[Claim]) -> set[UUID]:
    """Claim ids of statements that this transaction stores; returns those of statements that are accepted already.

    Those have another content and are on their way to the tables. What is in the tables is not compared.
    """
    given = {"ids": [item.statement_id for item in claims], "hashes": [item.content_sha256 for item in claims]}
    await connection.execute(_CLAIM, given)
    return set((await connection.execute(_CLAIMED_OTHERWISE, given)).scalars())


async def forget_stored_claims(connection: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Forget the claims of statements that this transaction has stored: from now on they stand for their ids."""
    await connection.execute(_FORGET_CLAIMS, {"ids": list(ids)})


async def _store(connection: AsyncConnection, requests: Sequence[_Request]) -> list[Registration]:
    """Register requests, and let their statements be read by id."""
    sent = b",".join(
        b'{"request":"%s","stored":"%s","statements":%s}'
        % (str(item.request_id).encode(), item.stored_at.isoformat().encode(), item.statements)
        for item in requests
    )
    # As one text: an array of them would be escaped a second time, quote by quote.
    registered = set((await connection.execute(_REGISTER, {"requests": f"[{sent.decode()}]"})).scalars())
    return [Registration(registered=item.request_id in registered) for item in requests]


async def current_bound(connection: AsyncConnection) -> datetime:
    """The consistency bound: everything stored up to it is loaded, and nothing will appear behind it any more."""
    found: datetime = (await connection.execute(_BOUND)).scalar_one()
    return found


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
        self._registering = Gathering(self._register, most=_MOST_TOGETHER)
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
        request = _Request(request_id, stored_at, claims, self._seen.unseen(definitions), statements)
        try:
            async with asyncio.timeout(self._patience):
                return await self._registering.do(request)
        except _AWAY:
            self._break("statements are accepted without the database", self._monotonic() - started)
            return Registration(registered=False)

    async def _register(self, requests: "Sequence[_Request]") -> Sequence[Registration | Exception]:
        """Register requests that came at the same time together, or each alone when one stands in the others' way."""
        if len(requests) > 1:
            try:
                return await self._register_together(requests)
            except Exception as error:
                if not (isinstance(error, _ConflictAmong) or refused(error)):
                    raise
        found: list[Registration | Exception] = []
        for request in requests:
            try:
                found += await self._register_together([request])
            except Exception as error:  # noqa: BLE001 - it is this request's; the others go on
                found.append(error)
        return found

    async def _register_together(self, requests: "Sequence[_Request]") -> Sequence[Registration]:
        claims = sorted((claim for item in requests for claim in item.claims), key=lambda claim: claim.statement_id)
        definitions = merged_definitions(item.definitions for item in requests)
        if not claims and not definitions:
            async with self._database.single_write() as connection:
                return await _store(connection, requests)
        async with self._database.connect() as connection:
            conflicts = await _claim(connection, claims) if claims else ()
            if conflicts:
                await connection.rollback()
                if len(requests) > 1:
                    raise _ConflictAmong
                return [Registration(registered=False, conflicts=conflicts)]
            found = await _store(connection, requests)
            await merge_acceptable(connection, definitions)
            await connection.commit()
        for item in requests:
            self._seen.add(item.definitions)
        return found

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
                found = await current_bound(connection)
            self._bound, self._bound_at = max(self._bound, found), now
        except _AWAY:
            self._break("the consistency bound stands still without the database", self._monotonic() - now)
        return self._bound

    def _break(self, message: str, waited: float) -> None:
        self._open_until = self._monotonic() + BREAK_SECONDS
        logger.warning(message, exc_info=True, waited_ms=round(waited * 1000), pause_seconds=BREAK_SECONDS)
