"""Operator commands for accounts; operators reach them by invoking the function `maintenance`."""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataforge.contexts.identity.accounts import commands
from dataforge.contexts.identity.accounts.wire import SignUpIn
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.events.commands import parse_arguments
from dataforge.kernel.principal import Role
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


async def create_admin(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make an administrator `{username, email, password?}`; without a password one is made up and shown this once."""
    password = payload.get("password") or secrets.token_urlsafe(18)
    body = parse_arguments(SignUpIn, {**payload, "password": password})
    await services.private_keys.ensure()
    command = commands.SignUp(**body.model_dump(), role=Role.ADMIN, vouched=True)
    user_id = await run(services.unit_of_work(IdentityUnitOfWork), commands.sign_up, command)
    generated = {} if payload.get("password") else {"password": password}
    return {"user_id": str(user_id), "username": body.username, **generated}


async def ensure_admin(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Make an administrator `{username, email, password, replace?}` unless there is one of that name; may be repeated.

    With `replace` an existing administrator gets the password, and their sign-ins end: for one that nobody knows.
    """
    body = parse_arguments(SignUpIn, {key: value for key, value in payload.items() if key != "replace"})
    account = commands.SignUp(**body.model_dump(), role=Role.ADMIN, vouched=True)
    command = commands.EnsureAdmin(account, replace_password=payload.get("replace") is True)
    created = await run(services.unit_of_work(IdentityUnitOfWork), commands.ensure_admin, command)
    return {"username": body.username, "created": created}
