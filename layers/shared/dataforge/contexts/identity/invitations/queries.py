"""Invitations as administrators see them, and what their mail and their page need."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.invitations.domain import State
from dataforge.contexts.identity.tables import invitations, users
from dataforge.kernel.invitations import link_hash
from dataforge.kernel.paging import Page
from dataforge.kernel.principal import Role
from dataforge.platform.db.database import row_dict

_SHOWN = [column for column in invitations.c if column.name != "token_hash"]


def state_of(row: dict[str, Any], now: datetime) -> State:
    """What has become of the invitation of this row."""
    if row["accepted_at"] is not None:
        return State.ACCEPTED
    if row["revoked_at"] is not None:
        return State.REVOKED
    return State.EXPIRED if now >= row["expires_at"] else State.OPEN


async def get_invitation(connection: AsyncConnection, invitation_id: UUID, *, now: datetime) -> dict[str, Any]:
    """One invitation, whoever asks."""
    row = row_dict((await connection.execute(select(*_SHOWN).where(invitations.c.id == invitation_id))).one())
    return {**row, "state": state_of(row, now)}


async def list_invitations(
    connection: AsyncConnection, *, now: datetime, after: tuple[Any, ...] | None, limit: int, state: State | None = None
) -> Page[dict[str, Any]]:
    """Invitations, newest first, all or those in one state."""
    query = select(*_SHOWN, users.c.display_name.label("inviter")).order_by(invitations.c.id.desc())
    query = query.outerjoin(users, users.c.id == invitations.c.invited_by)
    if after is not None:
        query = query.where(invitations.c.id < UUID(after[0]))
    if state is State.ACCEPTED:
        query = query.where(invitations.c.accepted_at.is_not(None))
    elif state is State.REVOKED:
        query = query.where(invitations.c.revoked_at.is_not(None), invitations.c.accepted_at.is_(None))
    elif state is not None:
        late = invitations.c.expires_at <= now if state is State.EXPIRED else invitations.c.expires_at > now
        query = query.where(invitations.c.accepted_at.is_(None), invitations.c.revoked_at.is_(None), late)
    found = [row_dict(row) for row in await connection.execute(query.limit(limit + 1))]
    rows = [{**row, "state": state_of(row, now)} for row in found[:limit]]
    return Page(rows, (str(rows[-1]["id"]),) if len(found) > limit else None)


async def invitation_of_link(connection: AsyncConnection, token: str, *, now: datetime) -> dict[str, Any] | None:
    """What the page of a mailed link says: address, role, state; None for a link that leads to no invitation."""
    query = select(*_SHOWN).where(invitations.c.token_hash == link_hash(token))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return {"email": row.email, "role": row.role, "state": state_of(row_dict(row), now)}


async def invitation_mail(connection: AsyncConnection, invitation_id: UUID, sendings: int) -> dict[str, Any] | None:
    """What the mail of this number says; None once it must not be sent any more."""
    query = (
        select(invitations.c.email, invitations.c.role, invitations.c.expires_at, invitations.c.invited_by)
        .add_columns(users.c.display_name.label("inviter"))
        .join(users, users.c.id == invitations.c.invited_by)
        .where(
            invitations.c.id == invitation_id,
            invitations.c.sendings == sendings,
            invitations.c.accepted_at.is_(None),
            invitations.c.revoked_at.is_(None),
            users.c.role == Role.ADMIN.value,
            users.c.suspended_at.is_(None),
        )
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else row_dict(row)
