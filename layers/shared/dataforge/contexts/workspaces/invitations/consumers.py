"""Mails invitations."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from dataforge.contexts.workspaces.contract import InvitationSent
from dataforge.contexts.workspaces.invitations.queries import invitation_mail
from dataforge.platform.mail.templates import compose

if TYPE_CHECKING:
    from dataforge.contexts.workspaces.module import WorkspacesServices

PAGE = "/ui/workspaces/accept"


async def mail_invitation(event: InvitationSent, services: "WorkspacesServices") -> None:
    """Mail the link; one that was replaced, revoked or accepted meanwhile is not sent. Twice is the same link."""
    async with services.database.read_only() as connection:
        values = await invitation_mail(connection, event.invitation_id, event.sendings)
    if values is None:
        return
    token = services.invitation_token(event.invitation_id, event.sendings)
    link = f"{services.settings.public_base_url.rstrip('/')}{PAGE}?{urlencode({'token': token})}"
    await services.platform.mailer.send(compose("workspaces/invitation", values["email"], {**values, "link": link}))
