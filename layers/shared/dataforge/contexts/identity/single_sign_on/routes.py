"""REST of sign-in providers, for administrators, and of one's own ways to sign in."""

from typing import Annotated
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from dataforge.contexts.identity.single_sign_on import commands, queries, wire
from dataforge.contexts.identity.single_sign_on.calls import check_provider, saved
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.app import context_router
from dataforge.http.auth import require
from dataforge.http.call import Call, json_response
from dataforge.http.versioned_rows import PROBLEMS, VERSIONED, created, no_content, versioned
from dataforge.kernel.access import Action, Kind
from dataforge.platform.db.versioned_rows import Delete

router = context_router("identity")

ADDRESS = "/api/sign-in-providers"
METHODS = "/api/sign-in-methods"


async def _provider(call: Call, provider_id: UUID) -> dict[str, object]:
    return await call.query(queries.get_provider, provider_id)


@router.get(ADDRESS, response_model=wire.SignInProviderList)
async def list_providers(call: Annotated[Call, require(Action.READ, Kind.IDENTITY_PROVIDER)]) -> Response:
    """The providers that people sign in with, also those that are switched off."""
    return json_response({"items": await call.query(queries.list_providers)})


@router.post(ADDRESS, status_code=201, response_model=wire.SignInProviderOut)
async def create_provider(
    body: wire.SignInProviderIn, call: Annotated[Call, require(Action.CREATE, Kind.IDENTITY_PROVIDER)]
) -> Response:
    """Let people sign in with a provider of OpenID Connect; its secret is encrypted and never shown."""

    async def read(connection: AsyncConnection, provider_id: UUID) -> Response:
        return created(call, ADDRESS, await queries.get_provider(connection, provider_id))

    return await call.execute_and_read(IdentityUnitOfWork, commands.create_provider, saved(call, body), read)


@router.get(ADDRESS + "/{provider_id}", response_model=wire.SignInProviderOut, responses=PROBLEMS)
async def get_provider(
    provider_id: UUID, call: Annotated[Call, require(Action.READ, Kind.IDENTITY_PROVIDER)]
) -> Response:
    """One provider."""
    return versioned(await _provider(call, provider_id))


@router.patch(ADDRESS + "/{provider_id}", response_model=wire.SignInProviderOut, responses=VERSIONED)
async def change_provider(
    provider_id: UUID,
    body: wire.SignInProviderPatch,
    call: Annotated[Call, require(Action.CHANGE, Kind.IDENTITY_PROVIDER)],
) -> Response:
    """Change a provider, or switch it off and on; needs If-Match."""

    async def read(connection: AsyncConnection, provider_id: UUID) -> Response:
        return versioned(await queries.get_provider(connection, provider_id))

    change = commands.ChangeProvider(provider_id, call.expected_revision(), saved(call, body))
    return await call.execute_and_read(IdentityUnitOfWork, commands.change_provider, change, read)


@router.delete(ADDRESS + "/{provider_id}", status_code=204, responses=VERSIONED)
async def delete_provider(
    provider_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.IDENTITY_PROVIDER)]
) -> Response:
    """Remove a provider; accounts stay linked to its people until they unlink them. Needs If-Match."""
    command = Delete(provider_id, call.expected_revision())
    return await call.execute(IdentityUnitOfWork, commands.delete_provider, command, no_content)


@router.get(ADDRESS + "/{provider_id}/check", response_model=wire.ProviderCheckOut, responses=PROBLEMS)
async def ask_provider(
    provider_id: UUID, call: Annotated[Call, require(Action.READ, Kind.IDENTITY_PROVIDER)]
) -> Response:
    """Ask a provider what it says of itself, so that a wrong address is found before anybody signs in."""
    return json_response(await check_provider(call, await _provider(call, provider_id)))


@router.get(METHODS, response_model=wire.SignInMethods)
async def list_methods(call: Annotated[Call, require(Action.READ, Kind.SIGN_IN_METHOD)]) -> Response:
    """How one can sign in to one's own account."""
    return json_response(await call.query(queries.list_methods, call.user_id))


@router.delete(METHODS + "/{identity_id}", status_code=204, responses=PROBLEMS)
async def unlink(identity_id: UUID, call: Annotated[Call, require(Action.DELETE, Kind.SIGN_IN_METHOD)]) -> Response:
    """Unlink a person at a provider from one's own account; the last way to sign in stays."""
    return await call.execute(IdentityUnitOfWork, commands.unlink, identity_id, no_content)
