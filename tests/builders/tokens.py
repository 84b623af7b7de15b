"""Personal access tokens of people in tests."""

from collections.abc import Sequence
from uuid import UUID

from dataforge.contexts.identity.tokens.commands import CreateToken, create_token
from dataforge.contexts.identity.tokens.domain import NewToken
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.principal import Principal, Role
from dataforge.platform.db.unit_of_work import run
from tests.builders.api import ApiUnderTest


async def new_token(
    api: ApiUnderTest, user_id: UUID, scopes: Sequence[str] = ("all",), *, days: int | None = None, name: str = "cron"
) -> NewToken:
    """A token of a person, made as the API makes it."""
    principal = Principal(user_id, Role.LEARNER)
    uow = IdentityUnitOfWork(api.platform.database, principal=principal, clock=api.platform.clock)
    return await run(uow, create_token, CreateToken(user_id, name, tuple(scopes), days))
