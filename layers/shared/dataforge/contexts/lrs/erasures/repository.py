"""What an erasure changes, inside one transaction, and the list of whom the loader takes out of what comes later."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.progress.repository import (
    count_again,
    forget_former,
    pairs_of_statements,
    register_removal,
)
from dataforge.contexts.lrs.statements.domain import FlatStatement, to_json

_SALT = text("SELECT salt FROM lrs.erasure_salt WHERE EXISTS (SELECT 1 FROM lrs.erased_agents)")
_ANY_SALT = text("SELECT salt FROM lrs.erasure_salt")
_ADD = text(
    "INSERT INTO lrs.erased_agents (digest, responses, erased_at) "
    "SELECT digest, :responses, clock_timestamp() FROM unnest(CAST(:digests AS bytea[])) AS digest "
    "ON CONFLICT (digest) DO UPDATE SET responses = erased_agents.responses OR excluded.responses"
)
_KNOWN = text("SELECT digest, responses FROM lrs.erased_agents WHERE digest = ANY(CAST(:digests AS bytea[]))")
_REWRITE = (
    text(
        "UPDATE lrs.statement_bodies b SET payload = g.payload "
        "FROM json_to_recordset(CAST(:rows AS json)) AS g (id uuid, at timestamptz, payload jsonb) "
        "WHERE b.stored_at = g.at AND b.statement_id = g.id"
    ),
    text(
        "UPDATE records.statements_raw r SET payload_sha256 = g.sha, error = NULL, "
        "payload = CASE WHEN r.payload IS NOT NULL THEN g.payload END "
        "FROM json_to_recordset(CAST(:rows AS json)) AS g (id uuid, sha bytea, payload jsonb) "
        "WHERE r.statement_id = g.id"
    ),
    # Who has sent the statement may send it again; what it said then is not kept, not even as a hash.
    text(
        "DELETE FROM records.statement_claims c USING json_to_recordset(CAST(:rows AS json)) AS g (id uuid) "
        "WHERE c.statement_id = g.id"
    ),
)
_FLAT = text(
    "UPDATE records.statements_flat f SET actor_key = g.actor_key, actor_name = g.actor_name, "
    "actor_email = CASE WHEN f.actor_key = g.actor_key THEN f.actor_email END, "
    "actor_account = CASE WHEN f.actor_key = g.actor_key THEN f.actor_account END, "
    "user_id = CASE WHEN f.actor_key = g.actor_key THEN f.user_id END, "
    "object_id = g.object_id, object_name = g.object_name, response = g.response "
    "FROM json_to_recordset(CAST(:rows AS json)) AS g (id uuid, actor_key text, actor_name text, object_id text, "
    "object_name text, response text) WHERE f.statement_id = g.id"
)
_OF_OTHER_ACTOR = text(
    "SELECT f.statement_id FROM records.statements_flat f "
    "JOIN json_to_recordset(CAST(:rows AS json)) AS g (id uuid, actor_key text) ON f.statement_id = g.id "
    "WHERE f.actor_key <> g.actor_key ORDER BY f.statement_id FOR UPDATE OF f"
)
_PENDING = text("SELECT statement_id, payload FROM lrs.pending_statements")
_FORGET_PENDING = text("DELETE FROM lrs.pending_statements WHERE statement_id = ANY(CAST(:ids AS uuid[]))")
_DOCUMENTS = text("DELETE FROM lrs.documents WHERE agent_key = ANY(CAST(:identities AS text[]))")
_OF_ACTOR = (
    "coalesce(lower(actor ->> 'mbox'), (actor #>> '{account,homePage}') || '|' || (actor #>> '{account,name}'), "
    "'sha1:' || lower(actor ->> 'mbox_sha1sum'), actor ->> 'openid') = ANY(CAST(:identities AS text[]))"
)
# Each session has launch data among the documents of its learner; it is found without them, too.
_SESSIONS = text(
    "DELETE FROM lrs.sessions WHERE registration IN (SELECT registration FROM lrs.documents "
    f"WHERE agent_key = ANY(CAST(:identities AS text[])) AND name = 'LMS.LaunchData') OR {_OF_ACTOR}"
)
_UNREGISTERED = text(
    "SELECT id FROM unnest(CAST(:ids AS uuid[])) AS id "
    "WHERE NOT EXISTS (SELECT 1 FROM records.intake i WHERE i.request_id = id)"
)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A statement as it is from now on, and its flat row where it can have one."""

    statement_id: UUID
    stored_at: datetime
    payload: Mapping[str, Any]
    sha: bytes
    flat: FlatStatement | None


class Erasures:
    """Erased people, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, keys: Iterable[UUID], *, responses: bool) -> None:
        """Recognise from now on what would be found by these keys; they are kept as salted hashes."""
        salt: bytes = (await self._connection.execute(_ANY_SALT)).scalar_one()
        digests = [_digest(salt, key) for key in keys]
        await self._connection.execute(_ADD, {"digests": digests, "responses": responses})

    async def recognise(self, keys: Iterable[UUID]) -> dict[UUID, bool]:
        """Which of the keys are of erased people, and whether their responses go too."""
        salt = (await self._connection.execute(_SALT)).scalar_one_or_none()
        if salt is None:
            return {}
        by_digest = {_digest(salt, key): key for key in keys}
        rows = await self._connection.execute(_KNOWN, {"digests": list(by_digest)})
        return {by_digest[bytes(row.digest)]: row.responses for row in rows}

    async def rewrite(self, items: Sequence[Rewritten], revision: datetime) -> None:
        """Write statements over, with their flat rows; those with another actor are nobody's progress any more."""
        rows = [
            {"id": item.statement_id, "at": item.stored_at, "payload": item.payload, "sha": f"\\x{item.sha.hex()}"}
            for item in items
        ]
        body = to_json(rows).decode()
        for statement in _REWRITE:
            await self._connection.execute(statement, {"rows": body})
        flat = [_flat(item.statement_id, item.flat) for item in items if item.flat is not None]
        if not flat:
            return
        values = {"rows": to_json(flat).decode()}
        taken = list((await self._connection.execute(_OF_OTHER_ACTOR, values)).scalars())
        pairs = await pairs_of_statements(self._connection, taken)
        await self._connection.execute(_FLAT, values)
        await forget_former(self._connection, taken)
        await count_again(self._connection, pairs)
        await register_removal(self._connection, "erasure", len(taken), revision)

    async def pending(self) -> list[tuple[UUID, str]]:
        """Statements that wait to be loaded, as JSON text."""
        return [(row.statement_id, row.payload) for row in await self._connection.execute(_PENDING)]

    async def forget_pending(self, ids: Sequence[UUID]) -> None:
        """Read these statements no longer before they are loaded."""
        await self._connection.execute(_FORGET_PENDING, {"ids": list(ids)})

    async def delete_documents(self, identities: Iterable[str]) -> int:
        """Delete State and profiles of the agents, and their sessions with course players; how many documents."""
        values = {"identities": list(identities)}
        await self._connection.execute(_SESSIONS, values)
        return (await self._connection.execute(_DOCUMENTS, values)).rowcount

    async def loaded(self, request_ids: Sequence[UUID]) -> set[UUID]:
        """Which of the requests are not on their way any more."""
        return set((await self._connection.execute(_UNREGISTERED, {"ids": list(request_ids)})).scalars())


def _digest(salt: bytes, key: UUID) -> bytes:
    return hashlib.sha256(bytes(salt) + key.bytes).digest()


def _flat(statement_id: UUID, flat: FlatStatement) -> dict[str, object]:
    names = ("actor_key", "actor_name", "object_id", "object_name", "response")
    return {"id": statement_id, **{name: getattr(flat, name) for name in names}}
