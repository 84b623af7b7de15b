"""The mails of invitations, as another context has them drafted."""

from typing import TYPE_CHECKING

from dataforge.contexts.workspaces.contract import InvitationSent
from dataforge.contexts.workspaces.invitations.queries import invitation_mail
from dataforge.http.addresses import public_address
from dataforge.kernel.mail import MailDraft

if TYPE_CHECKING:
    from dataforge.contexts.workspaces.module import WorkspacesServices

PAGE = "/ui/workspaces/accept"


class StoredInvitationMails:
    """Makes the mail of an invitation as it is now; its token is made anew each time and always the same."""

    def __init__(self, services: "WorkspacesServices") -> None:
        self._services = services

    async def draft(self, event: InvitationSent) -> MailDraft | None:
        """The mail of this number."""
        async with self._services.database.read_only() as connection:
            values = await invitation_mail(connection, event.invitation_id, event.sendings)
        if values is None:
            return None
        token = self._services.invitation_token(event.invitation_id, event.sendings)
        link = public_address(self._services.settings.public_base_url, PAGE, token=token)
        return MailDraft("workspaces/invitation", values["email"], {**values, "link": link})
