"""Invitations as administrators of a workspace see them, and what their mail needs."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataforge.contexts.workspaces.tables import invitations, workspaces
from dataforge.contexts.workspaces.workspaces.queries import seen_workspace
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.paging import Page
from dataforge.platform.db.database import row_dict

_SHOWN = [column for column in invitations.c if column.name != "token_hash"]


async def email_of(connection: AsyncConnection, user_id: UUID) -> str:
    """The e-mail address in lower case that the person has proved; empty for none."""
    query = text("SELECT proved_email FROM identity.directory WHERE user_id = :user_id")
    return str(await connection.scalar(query, {"user_id": user_id}) or "")


async def is_member(connection: AsyncConnection, workspace_id: UUID, email: str) -> bool:
    """Whether the person who has proved this address is in the workspace."""
    query = text(
        "SELECT EXISTS (SELECT FROM workspaces.members m JOIN identity.directory d ON d.user_id = m.user_id"
        " WHERE m.workspace_id = :workspace_id AND d.proved_email = lower(:email))"
    )
    return bool(await connection.scalar(query, {"workspace_id": workspace_id, "email": email}))


async def get_invitation(connection: AsyncConnection, invitation_id: UUID) -> dict[str, Any]:
    """One invitation, whoever asks."""
    return row_dict((await connection.execute(select(*_SHOWN).where(invitations.c.id == invitation_id))).one())


async def list_invitations(
    connection: AsyncConnection, workspace_id: UUID, person: UUID, *, after: tuple[Any, ...] | None, limit: int
) -> Page[dict[str, Any]]:
    """Invitations, newest first, for administrators; raises WorkspaceNotFound, WorkspaceRoleMissing."""
    (await seen_workspace(connection, workspace_id, person)).require(Action.READ, Kind.MEMBER_INVITATION)
    query = select(*_SHOWN).where(invitations.c.workspace_id == workspace_id).order_by(invitations.c.id.desc())
    if after is not None:
        query = query.where(invitations.c.id < UUID(after[0]))
    found = [row_dict(row) for row in await connection.execute(query.limit(limit + 1))]
    rows = found[:limit]
    return Page(rows, (str(rows[-1]["id"]),) if len(found) > limit else None)


async def invitation_mail(connection: AsyncConnection, invitation_id: UUID, sendings: int) -> dict[str, Any] | None:
    """What the mail of this number says; None once it must not be sent any more."""
    query = (
        select(invitations.c.email, invitations.c.role, invitations.c.expires_at, invitations.c.invited_by)
        .add_columns(workspaces.c.name.label("workspace"))
        .join(workspaces, workspaces.c.id == invitations.c.workspace_id)
        .where(
            invitations.c.id == invitation_id,
            invitations.c.sendings == sendings,
            invitations.c.accepted_at.is_(None),
            invitations.c.revoked_at.is_(None),
            workspaces.c.deleted_at.is_(None),
        )
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    name = text("SELECT display_name FROM identity.directory WHERE user_id = :user_id")
    return {**row_dict(row), "inviter": await connection.scalar(name, {"user_id": row.invited_by})}
