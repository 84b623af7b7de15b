"""The operators' way out when a password is lost."""

import secrets
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dataforge.contexts.identity.accounts.domain import PASSWORD_MAX, PASSWORD_MIN
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


async def replace_password(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Replace the password of somebody `{username, password?}`, the last administrator for instance.

    Ends their sign-ins. Without a password one is made up and shown this once.
    """
    body = parse_arguments(OperatorResetIn, payload)
    password = body.password or secrets.token_urlsafe(18)
    command = partial(commands.replace_password_by_name, username=body.username)
    await run(services.unit_of_work(IdentityUnitOfWork), command, password)
    return {"username": body.username, **({} if body.password else {"password": password})}
