"""The mails about accounts, as other contexts have them drafted."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, assert_never

from dataforge.contexts.identity.accounts.queries import find_account
from dataforge.contexts.identity.claims.commands import open_claim
from dataforge.contexts.identity.contract import (
    AccountClaimRequested,
    AccountEvent,
    AccountInvitationSent,
    EmailChangeRequested,
    EmailConfirmationRequested,
    PasswordChanged,
    PasswordResetRequested,
    PersonalExportEnded,
    SecondFactorAdded,
    SecondFactorRemoved,
    TokenCreated,
    TokenExpires,
)
from dataforge.contexts.identity.data_requests.domain import KEPT_FOR
from dataforge.contexts.identity.data_requests.queries import find_export
from dataforge.contexts.identity.email_addresses.commands import open_confirmation, open_warning
from dataforge.contexts.identity.invitations.queries import invitation_mail
from dataforge.contexts.identity.passwords.commands import open_reset
from dataforge.contexts.identity.tokens.queries import mail_about
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.mail import MailDraft
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices

_NOTICES: Final[Mapping[type[AccountEvent], str]] = {
    PasswordChanged: "identity/password_changed",
    SecondFactorAdded: "identity/second_factor_added",
    SecondFactorRemoved: "identity/second_factor_removed",
}


class StoredAccountMails:
    """Opens the links that the mails carry; a link is stored as its hash, under the id of the event."""

    def __init__(self, services: "IdentityServices") -> None:
        self._services = services

    async def draft(self, event: AccountEvent) -> MailDraft | None:
        """The mail that the event leads to."""
        match event:
            case PasswordResetRequested():
                mail = await self._reset(event)
            case PasswordChanged() | SecondFactorAdded() | SecondFactorRemoved():
                mail = await self._notice(event)
            case EmailConfirmationRequested():
                mail = await self._confirmation(event)
            case EmailChangeRequested():
                mail = await self._warning(event)
            case AccountClaimRequested():
                mail = await self._claim(event)
            case AccountInvitationSent():
                mail = await self._invitation(event)
            case TokenCreated() | TokenExpires():
                mail = await self._token(event)
            case PersonalExportEnded():
                mail = await self._export(event)
            case _:
                assert_never(event)
        return mail

    async def _reset(self, event: PasswordResetRequested) -> MailDraft | None:
        opened = partial(open_reset, tokens=self._services.link_tokens)
        mail = await run(self._uow(), opened, event)
        if mail is None:
            return None
        template = "identity/claim_account" if mail.is_new else "identity/reset_password"
        link = self._services.page_address("/ui/reset-password", token=mail.token)
        values = {"name": mail.name, "link": link, "expires_at": mail.expires_at}
        return MailDraft(template, mail.email, values, mail.user_id)

    async def _confirmation(self, event: EmailConfirmationRequested) -> MailDraft | None:
        opened = partial(open_confirmation, tokens=self._services.link_tokens)
        mail = await run(self._uow(), opened, event)
        if mail is None:
            return None
        values = {"name": mail.name, "link": self._services.page_address("/ui/confirm-email", token=mail.token)}
        return MailDraft("identity/confirm_email", mail.email, values, mail.user_id)

    async def _warning(self, event: EmailChangeRequested) -> MailDraft | None:
        opened = partial(open_warning, tokens=self._services.link_tokens)
        mail = await run(self._uow(), opened, event)
        if mail is None:
            return None
        link = self._services.page_address("/ui/stop-email-change", token=mail.token)
        values = {"name": mail.name, "link": link, "new_email": event.new_email}
        return MailDraft("identity/email_change", mail.email, values, mail.user_id)

    async def _notice(self, event: PasswordChanged | SecondFactorAdded | SecondFactorRemoved) -> MailDraft | None:
        async with self._services.database.read_only() as connection:
            account = await find_account(connection, event.user_id)
        if account is None:
            return None
        values = {"name": account["display_name"], "link": self._services.page_address("/ui/forgot-password")}
        return MailDraft(_NOTICES[type(event)], account["email"], values, event.user_id)

    async def _claim(self, event: AccountClaimRequested) -> MailDraft | None:
        mail = await run(self._uow(), partial(open_claim, tokens=self._services.link_tokens), event)
        if mail is None:
            return None
        link = self._services.page_address("/ui/reset-password", token=mail.token)
        values = {"name": mail.name, "link": link, "expires_at": mail.expires_at}
        return MailDraft("identity/claim_account", mail.email, values, mail.user_id)

    async def _invitation(self, event: AccountInvitationSent) -> MailDraft | None:
        async with self._services.database.read_only() as connection:
            values = await invitation_mail(connection, event.invitation_id, event.sendings)
        if values is None:
            return None
        token = self._services.link_tokens.of_invitation(event.invitation_id, event.sendings)
        link = self._services.page_address("/ui/invitation", token=token)
        return MailDraft("identity/account_invitation", values["email"], {**values, "link": link})

    async def _token(self, event: TokenCreated | TokenExpires) -> MailDraft | None:
        async with self._services.database.read_only() as connection:
            about = await mail_about(connection, event.token_id)
        if about is None:
            return None
        template = "identity/token_created" if isinstance(event, TokenCreated) else "identity/token_expires"
        values = {"name": about.display_name, "token": about.name, "ends": about.expires_at}
        link = self._services.page_address("/ui/account/tokens")
        return MailDraft(template, about.email, {**values, "link": link}, event.user_id)

    async def _export(self, event: PersonalExportEnded) -> MailDraft | None:
        async with self._services.database.read_only() as connection:
            account = await find_account(connection, event.user_id)
            export = await find_export(connection, event.job_id)
        # Whoever cannot sign in could not download it; the erased are among them.
        if account is None or export is None or account["suspended_at"] is not None or not account["claimed"]:
            return None
        values = {"name": account["display_name"], "ends": export["completed_at"] + KEPT_FOR}
        link = self._services.page_address("/ui/account/data")
        return MailDraft("identity/personal_export", account["email"], {**values, "link": link}, event.user_id)

    def _uow(self) -> IdentityUnitOfWork:
        return self._services.unit_of_work(IdentityUnitOfWork)
