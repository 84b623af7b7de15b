"""Mails about e-mail addresses."""

from functools import partial
from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import EmailChangeRequested, EmailConfirmationRequested
from dataforge.contexts.identity.email_addresses import commands
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


async def mail_confirmation(event: EmailConfirmationRequested, services: "IdentityServices") -> None:
    """Mail the link that proves an address; a second delivery mails the same link."""
    open_confirmation = partial(commands.open_confirmation, tokens=services.link_tokens)
    mail = await run(services.unit_of_work(IdentityUnitOfWork), open_confirmation, event)
    if mail is not None:
        link = services.page_address("/ui/confirm-email", token=mail.token)
        await services.send_mail("identity/confirm_email", mail.email, {"name": mail.name, "link": link})


async def mail_warning(event: EmailChangeRequested, services: "IdentityServices") -> None:
    """Tell the address that is to be replaced, with the link that stops it."""
    open_warning = partial(commands.open_warning, tokens=services.link_tokens)
    mail = await run(services.unit_of_work(IdentityUnitOfWork), open_warning, event)
    if mail is not None:
        link = services.page_address("/ui/stop-email-change", token=mail.token)
        values = {"name": mail.name, "link": link, "new_email": event.new_email}
        await services.send_mail("identity/email_change", mail.email, values)
