"""The operators' way out when a phone and the recovery codes are lost."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dataforge.contexts.identity.second_factor import commands
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.events.commands import parse_arguments
from dataforge.http.wire import RequestModel
from dataforge.platform.db.unit_of_work import run

if TYPE_CHECKING:
    from dataforge.contexts.identity.services import IdentityServices


class OperatorRemovalIn(RequestModel):
    """Whose second factor an operator takes away."""

    username: Annotated[str, Field(min_length=1, max_length=255)]


async def remove_second_factor(payload: Mapping[str, Any], services: "IdentityServices") -> dict[str, Any]:
    """Take the second factor of somebody `{username}` away, the last administrator's for instance.

    The password stays needed, and the person hears of it by mail.
    """
    body = parse_arguments(OperatorRemovalIn, payload)
    await run(services.unit_of_work(IdentityUnitOfWork), commands.remove_second_factor_by_name, body.username)
    return {"username": body.username}
