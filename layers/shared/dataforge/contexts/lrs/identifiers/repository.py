"""Links between identifiers and people, and the statements that follow them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import MatchedStatement
from dataforge.contexts.lrs.identifiers.domain import Identifier, Link, digest_of
from dataforge.contexts.lrs.matching.repository import SqlStatementMatching, change_matches, changed_matches
from dataforge.contexts.lrs.statements.domain import to_json
from dataforge.contexts.lrs.tables import directory
from dataforge.kernel.ids import uuid7

# A loader that read the links before they changed has written what it does within this time, killed or not.
SETTLED_AFTER = "interval '10 minutes'"
_SHOWN = "id, user_id, agent, created_by, created_at, matched_at"
_LINK = text(
    "INSERT INTO lrs.agent_identifiers (id, digest, key, agent, user_id, created_by, created_at, changed_at) "
    "VALUES (:id, :digest, :key, CAST(:agent AS jsonb), :user_id, :by, :at, clock_timestamp()) "
    "ON CONFLICT (digest) DO UPDATE SET user_id = excluded.user_id, agent = excluded.agent, "
    "created_by = excluded.created_by, created_at = excluded.created_at, changed_at = clock_timestamp(), "
    f"unlinked_at = NULL, matched_at = NULL WHERE agent_identifiers.unlinked_at IS NOT NULL RETURNING {_SHOWN}"
)
_FIND = text(f"SELECT {_SHOWN} FROM lrs.agent_identifiers WHERE digest = :digest AND unlinked_at IS NULL FOR UPDATE")
_UNLINK = text(
    "UPDATE lrs.agent_identifiers SET unlinked_at = clock_timestamp(), changed_at = clock_timestamp(), "
    "matched_at = NULL WHERE id = :id AND unlinked_at IS NULL RETURNING user_id, agent"
)
_PEOPLE = text(
    "SELECT key, user_id FROM lrs.agent_identifiers WHERE digest = ANY(CAST(:digests AS bytea[])) "
    "AND unlinked_at IS NULL"
)
_DUE = text(
    "SELECT id FROM lrs.agent_identifiers "
    f"WHERE matched_at IS NULL OR changed_at > clock_timestamp() - {SETTLED_AFTER} ORDER BY changed_at, id LIMIT :limit"
)
_LOCK = text(
    "SELECT id, user_id, key, unlinked_at IS NULL AS linked FROM lrs.agent_identifiers WHERE id = :id FOR UPDATE"
)
_PAGE = (
    "JOIN (SELECT statement_id FROM records.statements_flat WHERE actor_key = :key AND {condition} "
    "LIMIT :limit) AS page USING (statement_id) WHERE {condition}"
)
_GIVE = changed_matches(
    user_id="CAST(:user_id AS uuid)", source=_PAGE.format(condition="user_id IS DISTINCT FROM :user_id")
)
_TAKE = changed_matches(user_id="NULL::uuid", source=_PAGE.format(condition="user_id = :user_id"))
_MARK = text("UPDATE lrs.agent_identifiers SET matched_at = clock_timestamp() WHERE id = :id")
_ERASE = text("DELETE FROM lrs.agent_identifiers WHERE digest = ANY(CAST(:digests AS bytea[]))")
_FORGET = text(
    "DELETE FROM lrs.agent_identifiers WHERE unlinked_at IS NOT NULL AND matched_at IS NOT NULL "
    f"AND changed_at < clock_timestamp() - {SETTLED_AFTER}"
)


class Identifiers:
    """`agent_identifiers`, and the person of flat rows, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def suspended(self, user_id: UUID) -> bool | None:
        """Whether a person is suspended; None when there is no such person."""
        row = (
            await self._connection.execute(select(directory.c.suspended_at).where(directory.c.user_id == user_id))
        ).one_or_none()
        return None if row is None else row.suspended_at is not None

    async def find(self, identifier: Identifier) -> Any | None:  # noqa: ANN401 - a row
        """The link of an identifier, locked."""
        return (await self._connection.execute(_FIND, {"digest": identifier.digest})).one_or_none()

    async def link(self, identifier: Identifier, user_id: UUID, by: UUID | None, at: object) -> Any | None:  # noqa: ANN401 - a row
        """Link an identifier that is not; None when somebody else has linked it meanwhile."""
        values = {"digest": identifier.digest, "key": identifier.key, "agent": to_json(identifier.agent).decode()}
        made = await self._connection.execute(_LINK, {"id": uuid7(), "user_id": user_id, "by": by, "at": at, **values})
        return made.one_or_none()

    async def unlink(self, link_id: UUID) -> Any | None:  # noqa: ANN401 - a row
        """End a link; None when there is none."""
        return (await self._connection.execute(_UNLINK, {"id": link_id})).one_or_none()

    async def people(self, keys: Iterable[str]) -> Mapping[str, UUID]:
        """Whose identifiers these are, by key."""
        digests = sorted({digest_of(key) for key in keys})
        if not digests:
            return {}
        rows = await self._connection.execute(_PEOPLE, {"digests": digests})
        return {row.key: row.user_id for row in rows}

    async def due(self, limit: int) -> Sequence[UUID]:
        """Links whose statements do not follow them yet, or may have been written by a loader that knew less."""
        return list((await self._connection.execute(_DUE, {"limit": limit})).scalars())

    async def lock(self, link_id: UUID) -> Link | None:
        """A link, locked."""
        row = (await self._connection.execute(_LOCK, {"id": link_id})).one_or_none()
        return None if row is None else Link(row.id, row.user_id, row.key, row.linked)

    async def move(self, link: Link, limit: int) -> Sequence[MatchedStatement]:
        """Give statements to the person, or take them away after an end; returns those that changed."""
        statement, revision = (
            _GIVE if link.linked else _TAKE,
            await SqlStatementMatching().take_revision(self._connection),
        )
        values = {"key": link.key, "user_id": link.user_id, "limit": limit, "revision": revision}
        return await change_matches(self._connection, (statement,), values)

    async def mark_matched(self, link_id: UUID) -> None:
        """All stored statements follow the link."""
        await self._connection.execute(_MARK, {"id": link_id})

    async def erase(self, keys: Iterable[str]) -> None:
        """Delete links of identifiers that are erased: nobody is to be found by them any more."""
        await self._connection.execute(_ERASE, {"digests": [digest_of(key) for key in sorted(keys)]})

    async def forget(self) -> int:
        """Delete links that ended and that nothing follows any more."""
        return (await self._connection.execute(_FORGET)).rowcount
