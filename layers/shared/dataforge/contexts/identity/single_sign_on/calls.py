"""What routes and pages of single sign-on share, and pages of signing in with it."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.sessions.domain import Session
from dataforge.contexts.identity.single_sign_on.commands import (
    Arrival,
    SaveProvider,
    active_provider,
    admit_arrival,
    arrive,
    end_try,
)
from dataforge.contexts.identity.single_sign_on.domain import Journey, LinkOffer, ProviderAnswer, new_journey
from dataforge.contexts.identity.single_sign_on.queries import list_offered
from dataforge.contexts.identity.single_sign_on.wire import ProviderCheckOut, SignInProviderIn, SignInProviderPatch
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.addresses import absolute_address
from dataforge.http.call import Call
from dataforge.http.caller import client_address, device_name
from dataforge.http.versioned_rows import changes_of, values_of
from dataforge.kernel.errors import DataForgeError, Unavailable
from dataforge.platform.db.unit_of_work import run

WITH = "/ui/sign-in/with"


def saved(call: Call, body: SignInProviderIn | SignInProviderPatch) -> SaveProvider:
    """The command's part of a body: what is stored, and the secret apart from it."""
    services = call.services(IdentityServices)
    values = values_of(body) if isinstance(body, SignInProviderIn) else changes_of(body)
    secret = values.pop("client_secret", None)
    return SaveProvider(values, secret, services.provider_secrets, services.settings.private_receivers)


async def check_provider(call: Call, provider: Mapping[str, object]) -> dict[str, object]:
    """What a provider says of itself; raises ProviderUnavailable."""
    found = asdict(await call.services(IdentityServices).openid.metadata(str(provider["issuer"])))
    return {name: found[name] for name in ProviderCheckOut.model_fields}


async def sign_in_form(
    request: Request, wanted: str, *, username: str = "", error: DataForgeError | None = None
) -> Response:
    """The sign-in page with a button for each provider, and what the try before was refused for."""
    from dataforge.web.calls import public_page  # templates are carried by the function that has pages only

    try:
        providers = await Call.of_anybody(request).query(list_offered)
    except Unavailable:
        providers = []  # the form is there also while the database is not
    values = {"wanted": wanted, "username": username, "providers": providers}
    return public_page(request, "identity/sign_in.html", values, error)


async def depart(call: Call, provider_id: UUID, wanted: str, user_id: UUID | None = None) -> Response:
    """Send the browser to a provider, with what it is to come back with; raises NotFound, ProviderUnavailable."""
    services, scope = call.services(IdentityServices), call.request.scope
    provider = await run(call.unit_of_work(IdentityUnitOfWork), active_provider, provider_id)
    redirect_uri = absolute_address(scope, return_path(provider_id))
    journey = new_journey(provider_id, redirect_uri, call.platform.clock.now(), wanted=wanted, user_id=user_id)
    response = RedirectResponse(await services.openid.authorization_address(provider, journey), status_code=303)
    services.browser_seals.keep_journey(response, scope, journey)
    return response


def return_path(provider_id: UUID) -> str:
    """Where a provider sends the browser back to; one for each, so that no answer passes for that of another."""
    return f"{WITH}/{provider_id}/return"


async def come_back(request: Request, journey: Journey, answer: ProviderAnswer) -> Session | LinkOffer:
    """Ask the provider who has come back, and sign them in, or make the offer that they have come back for.

    Raises what the provider, the person or the account is refused for.
    """
    call, address = Call.of_anybody(request), client_address(request)
    services = call.services(IdentityServices)
    limits = services.try_limits
    await run(call.unit_of_work(IdentityUnitOfWork), partial(admit_arrival, limits=limits), address)
    failed = True
    try:
        provider = await run(call.unit_of_work(IdentityUnitOfWork), active_provider, journey.provider_id)
        sealed = provider.sealed_secret
        secret = None if sealed is None else services.provider_secrets.open(sealed, str(provider.id))
        claims = await services.openid.claims(provider, secret, journey, answer)
        arrival = Arrival(provider, claims, device_name(request), journey.user_id)
        result = await run(call.unit_of_work(IdentityUnitOfWork), arrive, arrival)
        failed = isinstance(result, Rejected)
    finally:
        await run(call.unit_of_work(IdentityUnitOfWork), partial(end_try, limits=limits, failed=failed), address)
    if isinstance(result, Rejected):
        raise result.error
    return result
