"""The write SQL of invitations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.invitations.domain import Invitation
from dataforge.contexts.workspaces.tables import invitations
from dataforge.kernel.access import MemberRole
from dataforge.kernel.invitations import AlreadyInvited
from dataforge.kernel.texts import Text
from dataforge.platform.db.versioned_rows import Refusals, explained


class Invitations:
    """Invitations; their workspace is entered or locked before them."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def add(self, invitation: Invitation, *, token_hash: str, invited_by: UUID) -> None:
        """Insert; raises AlreadyInvited while an invitation of the same address is open."""
        row = {
            "id": invitation.id,
            "workspace_id": invitation.workspace_id,
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
        refusals: Refusals = {"uq_invitations_workspace_id_email_open": lambda _: AlreadyInvited(message)}
        async with explained("invitation", "invitations", refusals=refusals):
            await self._connection.execute(insert(invitations).values(**row))

    async def revoke_expired(self, workspace_id: UUID, email: str) -> None:
        """Make room for another invitation of an address whose last one has expired."""
        statement = update(invitations).where(
            invitations.c.workspace_id == workspace_id,
            func.lower(invitations.c.email) == email.lower(),
            invitations.c.accepted_at.is_(None),
            invitations.c.revoked_at.is_(None),
            invitations.c.expires_at <= self._now,
        )
        await self._connection.execute(statement.values(revoked_at=self._now))

    async def find(self, invitation_id: UUID, workspace_id: UUID) -> Invitation | None:
        """The invitation of this workspace, locked."""
        return await self._locked(invitations.c.id == invitation_id, invitations.c.workspace_id == workspace_id)

    async def by_token(self, token_hash: str) -> Invitation | None:
        """The invitation whose latest link has this token, locked."""
        return await self._locked(invitations.c.token_hash == token_hash)

    async def workspace_of(self, token_hash: str) -> UUID | None:
        """Which workspace a link leads into."""
        query = select(invitations.c.workspace_id).where(invitations.c.token_hash == token_hash)
        found: UUID | None = await self._connection.scalar(query)
        return found

    async def _locked(self, *conditions: ColumnElement[bool]) -> Invitation | None:
        row = (await self._connection.execute(select(invitations).where(*conditions).with_for_update())).one_or_none()
        if row is None:
            return None
        return Invitation(
            id=row.id,
            workspace_id=row.workspace_id,
            email=row.email,
            role=MemberRole(row.role),
            sendings=row.sendings,
            sent_at=row.sent_at,
            expires_at=row.expires_at,
            accepted_at=row.accepted_at,
            revoked_at=row.revoked_at,
        )

    async def accepted(self, invitation_id: UUID, user_id: UUID) -> None:
        """Store that the person has accepted."""
        await self._set(invitation_id, accepted_at=self._now, accepted_by=user_id)

    async def revoked(self, invitation_id: UUID) -> None:
        """Store that it is no longer good."""
        await self._set(invitation_id, revoked_at=self._now)

    async def sent_again(self, invitation: Invitation, *, token_hash: str) -> None:
        """Store the link and the dates of another mail."""
        dates = {"sent_at": invitation.sent_at, "expires_at": invitation.expires_at}
        await self._set(invitation.id, token_hash=token_hash, sendings=invitation.sendings, **dates)

    async def _set(self, invitation_id: UUID, **values: object) -> None:
        await self._connection.execute(update(invitations).where(invitations.c.id == invitation_id).values(**values))
