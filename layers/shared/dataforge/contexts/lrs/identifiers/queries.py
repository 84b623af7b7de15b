"""Who is known by what."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.lrs.contract import PEOPLE
from dataforge.contexts.lrs.identifiers.domain import digest_of
from dataforge.contexts.lrs.statements.domain import actor_email, actor_key
from dataforge.kernel.paging import Page
from dataforge.platform.db.keyset_lists import keyset, where

_PERSON = text(
    "WITH who AS (SELECT user_id, 0 AS rank FROM lrs.agent_identifiers WHERE digest = :digest AND unlinked_at IS NULL "
    "UNION ALL SELECT user_id, 1 FROM identity.directory WHERE proved_email = :email ORDER BY rank LIMIT 1) "
    "SELECT d.display_name, d.proved_email, d.avatar, i.agent FROM who JOIN identity.directory d USING (user_id) "
    "LEFT JOIN lrs.agent_identifiers i ON i.user_id = who.user_id AND i.unlinked_at IS NULL "
    "ORDER BY i.created_at, i.id"
)


async def list_identifiers(
    connection: AsyncConnection, user_id: UUID | None, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Linked identifiers, newest first, of one person or of all."""
    conditions, values = ["unlinked_at IS NULL"], dict[str, Any]()
    if user_id is not None:
        conditions.append("user_id = :user_id")
        values["user_id"] = user_id
    if after is not None:
        conditions.append("(created_at, id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))")
        values |= {"at": datetime.fromisoformat(str(after[0])), "id": UUID(str(after[1]))}
    sql = (
        "SELECT id, user_id, agent, created_by, created_at, matched_at FROM lrs.agent_identifiers "
        f"{where(conditions)} ORDER BY created_at DESC, id DESC"
    )
    return await keyset(connection, sql, values, key=("created_at", "id"), limit=limit)


async def agents_of_person(connection: AsyncConnection, key: str, email: str | None) -> Sequence[Mapping[str, object]]:
    """All that the person with this identifier is known by: the account's name and address, and what is linked."""
    rows = await _person(connection, key, email)
    if not rows:
        return ()
    return [*_account(rows[0]), *(row.agent for row in rows if row.agent is not None)]


async def known_agents(
    connection: AsyncConnection, agents: Sequence[Mapping[str, object]]
) -> list[Mapping[str, object]]:
    """These Agents, and all that the people are known by who have any of them: their pseudonyms too."""
    found = list(agents)
    for agent in agents:
        rows = await _person(connection, actor_key(agent), actor_email(agent))
        if rows:
            pseudonym = {"account": {"homePage": PEOPLE, "name": rows[0].avatar}}
            found += [*_account(rows[0]), pseudonym, *(row.agent for row in rows if row.agent is not None)]
    return list({actor_key(agent): agent for agent in reversed(found)}.values())[::-1]


async def _person(connection: AsyncConnection, key: str, email: str | None) -> Sequence[Any]:
    return (await connection.execute(_PERSON, {"digest": digest_of(key), "email": email})).all()


def _account(row: Any) -> Sequence[Mapping[str, object]]:  # noqa: ANN401 - a row of _PERSON
    """Nothing for somebody who has not proved that the address is theirs."""
    return [{"name": row.display_name, "mbox": f"mailto:{row.proved_email}"}] if row.proved_email else []
