"""Mails about passwords, and the operators' way out."""

import secrets
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX, PASSWORD_MIN
from dataforge.contexts.identity.contract import PasswordChanged, PasswordResetRequested
from dataforge.contexts.identity.passwords import commands
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.events.commands import parse_arguments
from dataforge.http.wire import RequestModel
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


class OperatorResetIn(RequestModel):
    """Whose password an operator replaces."""

    username: Annotated[str, Field(min_length=1, max_length=255)]
    password: Annotated[str, Field(min_length=PASSWORD_MIN, max_length=PASSWORD_MAX)] | None = Field(None, repr=False)


async def mail_reset(event: PasswordResetRequested, services: "IdentityServices") -> None:
    """Mail the link that sets a password; a second delivery mails the same link."""
    open_reset = partial(commands.open_reset, tokens=services.link_tokens)
    mail = await run(services.unit_of_work(IdentityUnitOfWork), open_reset, event)
    if mail is not None:
        template = "identity/claim_account" if mail.is_new else "identity/reset_password"
        link = services.page_address("/ui/reset-password", token=mail.token)
        await services.send_mail(template, mail.email, {"name": mail.name, "link": link})


async def mail_change(event: PasswordChanged, services: "IdentityServices") -> None:
    """Tell a person that the password was changed, in case it was somebody else."""
    await services.mail_person(event.user_id, "identity/password_changed", "/ui/forgot-password")


async def replace_password(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Replace the password of somebody `{username, password?}`, the last administrator for instance.

    Ends their sign-ins. Without a password one is made up and shown this once.
    """
    body = parse_arguments(OperatorResetIn, payload)
    password = body.password or secrets.token_urlsafe(18)
    command = partial(commands.replace_password_by_name, username=body.username)
    await run(services.unit_of_work(IdentityUnitOfWork), command, password)
    return {"username": body.username, **({} if body.password else {"password": password})}
