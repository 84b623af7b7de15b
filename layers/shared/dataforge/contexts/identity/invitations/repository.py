"""The write SQL of invitations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.identity.invitations.domain import Invitation
from dataforge.contexts.identity.tables import invitations, users
from dataforge.kernel.invitations import AlreadyInvited
from dataforge.kernel.principal import Role
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import Refusals, explained

_BACKED = exists().where(
    and_(users.c.id == invitations.c.invited_by, users.c.role == Role.ADMIN.value, users.c.suspended_at.is_(None))
)


class Invitations:
    """Invitations in `identity.invitations`."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, invitation: Invitation, *, token_hash: str, invited_by: UUID | None) -> None:
        """Insert; raises AlreadyInvited while an invitation of the same address is open."""
        row = {
            "id": invitation.id,
            "email": invitation.email,
            "role": invitation.role.value,
            "token_hash": token_hash,
            "sendings": invitation.sendings,
            "sent_at": invitation.sent_at,
            "expires_at": invitation.expires_at,
            "invited_by": invited_by,
            "created_at": self._now,
        }
        message = Text("{email} is invited already; send the invitation again, or revoke it.", email=invitation.email)
        refusals: Refusals = {"uq_invitations_email_open": lambda _: AlreadyInvited(message)}
        async with explained("invitation", "invitations", refusals=refusals):
            await self._connection.execute(insert(invitations).values(**row))

    async def revoke_expired(self, email: str) -> None:
        """Make room for another invitation of an address whose last one has expired."""
        statement = update(invitations).where(
            func.lower(invitations.c.email) == email.lower(),
            invitations.c.accepted_at.is_(None),
            invitations.c.revoked_at.is_(None),
            invitations.c.expires_at <= self._now,
        )
        await self._connection.execute(statement.values(revoked_at=self._now))

    async def lock(self, invitation_id: UUID) -> Invitation | None:
        """An invitation, locked."""
        return await self._locked(invitations.c.id == invitation_id)

    async def lock_by_token(self, token_hash: str) -> Invitation | None:
        """The invitation whose latest link has this token, locked."""
        return await self._locked(invitations.c.token_hash == token_hash)

    async def find_by_token(self, token_hash: str) -> Invitation | None:
        """The invitation whose latest link has this token, as it is now."""
        query = select(invitations, _BACKED.label("backed")).where(invitations.c.token_hash == token_hash)
        return _invitation((await self._connection.execute(query)).one_or_none())

    async def _locked(self, condition: ColumnElement[bool]) -> Invitation | None:
        # The row first: whether its sender is an administrator is asked once nobody else can accept it.
        locked = select(invitations.c.id).where(condition).with_for_update()
        await self._connection.execute(locked)
        query = select(invitations, _BACKED.label("backed")).where(condition)
        return _invitation((await self._connection.execute(query)).one_or_none())

    async def accepted(self, invitation_id: UUID, user_id: UUID) -> None:
        """Store that the person has accepted."""
        await self._set(invitation_id, accepted_at=self._now, accepted_by=user_id)

    async def revoked(self, invitation_id: UUID) -> None:
        """Store that it is no longer good."""
        await self._set(invitation_id, revoked_at=self._now)

    async def sent_again(self, invitation: Invitation, *, token_hash: str, invited_by: UUID | None) -> None:
        """Store the link, the dates and the sender of another mail."""
        dates = {"sent_at": invitation.sent_at, "expires_at": invitation.expires_at}
        values = {"token_hash": token_hash, "sendings": invitation.sendings, "invited_by": invited_by}
        await self._set(invitation.id, **values, **dates)

    async def _set(self, invitation_id: UUID, **values: object) -> None:
        await self._connection.execute(update(invitations).where(invitations.c.id == invitation_id).values(**values))


def _invitation(row: Row[Any] | None) -> Invitation | None:
    if row is None:
        return None
    return Invitation(
        id=row.id,
        email=row.email,
        role=Role(row.role),
        sendings=row.sendings,
        sent_at=row.sent_at,
        expires_at=row.expires_at,
        accepted_at=row.accepted_at,
        revoked_at=row.revoked_at,
        backed=row.backed,
    )
