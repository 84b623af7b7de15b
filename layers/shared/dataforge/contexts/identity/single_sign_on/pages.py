"""Signing in at a provider, one's own ways to sign in, and providers for administrators."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.single_sign_on import commands, queries, wire
from dataforge.contexts.identity.single_sign_on.browser_seals import BrowserSeals
from dataforge.contexts.identity.single_sign_on.calls import (
    WITH,
    check_provider,
    come_back,
    depart,
    return_path,
    saved,
    sign_in_form,
)
from dataforge.contexts.identity.single_sign_on.domain import Journey, JourneyUnknown, LinkOffer, ProviderAnswer
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.addresses import absolute_address
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, ValidationFailed
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.db.unit_of_work import run
from dataforge.platform.db.versioned_rows import Delete
from dataforge.web import flash, session
from dataforge.web.calls import PageCall, Visitor, require_page
from dataforge.web.routing import local_path, page_router, see_other

router = page_router("identity")

METHODS, PROVIDERS = "/ui/account/sign-in-methods", "/ui/admin/sign-in-providers"
LINK = f"{METHODS}/link"
Wanted = Annotated[str, Query(alias="next", max_length=2000, description="where to go afterwards")]
Secret = Annotated[str, Query(max_length=4000)]
Word = Annotated[str, Query(max_length=500)]
_BEGIN_AGAIN = Text(
    "The answer of the sign-in provider was not asked for by this browser, or came too late. Begin again."
)


@router.get(f"{WITH}/{{provider_id}}")
async def depart_page(provider_id: UUID, request: Request, person: Visitor, wanted: Wanted = "") -> Response:
    """Send whoever has not signed in to the provider."""
    if person is not None:
        return RedirectResponse(local_path(request.scope, wanted), status_code=303)
    try:
        return await depart(Call.of_anybody(request), provider_id, wanted)
    except DataForgeError as error:
        return await sign_in_form(request, wanted, error=error)


@router.get(f"{WITH}/{{provider_id}}/return")
async def return_page(
    provider_id: UUID, request: Request, code: Secret = "", state: Secret = "", iss: Word = "", error: Word = ""
) -> Response:
    """Where a provider sends the browser back to, with a code or an error."""
    seals, now = _seals(request), Call.of_anybody(request).platform.clock.now()
    journey = seals.journey(request.scope, now)
    answer = ProviderAnswer(provider_id, code, state, iss, error)
    if journey is None or not answer.belongs_to(journey):
        return await sign_in_form(request, "", error=JourneyUnknown(_BEGIN_AGAIN))
    try:
        response = await _arrived(request, journey, answer)
    except DataForgeError as refused:
        response = await _turned_away(request, journey, refused)
    seals.end_journey(response, request.scope)
    return response


async def _arrived(request: Request, journey: Journey, answer: ProviderAnswer) -> Response:
    result = await come_back(request, journey, answer)
    if isinstance(result, LinkOffer):
        response = see_other(request.scope, LINK)
        _seals(request).keep_offer(response, request.scope, result)
        return response
    issued = await Call.of_anybody(request).services(IdentityServices).token_signer.issue(result)
    return session.begin(
        RedirectResponse(local_path(request.scope, journey.wanted), status_code=303), request.scope, issued
    )


async def _turned_away(request: Request, journey: Journey, error: DataForgeError) -> Response:
    if journey.user_id is None:
        return await sign_in_form(request, journey.wanted, error=error)
    return flash.leave(see_other(request.scope, METHODS), request.scope, "error", error.detail)


def _seals(request: Request) -> BrowserSeals:
    return Call.of_anybody(request).services(IdentityServices).browser_seals


@router.get(METHODS)
async def methods_page(call: Annotated[PageCall, require_page(Action.READ, Kind.SIGN_IN_METHOD)]) -> Response:
    """How one can sign in to one's account."""
    methods = await call.query(queries.list_methods, call.user_id)
    linked = {item["issuer"] for item in methods["identities"]}
    providers = [item for item in await call.query(queries.list_providers) if item["enabled"]]
    offered = [item for item in providers if item["issuer"] not in linked]
    return call.page("identity/sign_in_methods.html", **methods, offered=offered)


@router.get(f"{METHODS}/with/{{provider_id}}")
async def link_page(
    provider_id: UUID, call: Annotated[PageCall, require_page(Action.CREATE, Kind.SIGN_IN_METHOD)]
) -> Response:
    """Send somebody who has signed in to a provider, to link it."""
    try:
        return await depart(call, provider_id, "", call.user_id)
    except DataForgeError as error:
        return call.go_on("error", error.detail, METHODS)


@router.get(LINK)
async def offer_page(call: Annotated[PageCall, require_page(Action.CREATE, Kind.SIGN_IN_METHOD)]) -> Response:
    """Ask whether the person at the provider is to sign in to this account from now on."""
    offer = _offer(call)
    if offer is None:
        return call.go_on("error", Text("There is nothing to link any more. Begin again."), METHODS)
    provider = await call.query(queries.get_provider, offer.provider_id)
    return call.page("identity/link_identity.html", offer=offer, provider=provider)


@router.post(LINK)
async def accept_link(call: Annotated[PageCall, require_page(Action.CREATE, Kind.SIGN_IN_METHOD)]) -> Response:
    """Link them."""
    offer, scope = _offer(call), call.request.scope
    try:
        if offer is None:
            message = Text("There is nothing to link any more. Begin again.")
            raise JourneyUnknown(message)
        await run(call.unit_of_work(IdentityUnitOfWork), commands.accept_link, offer)
    except DataForgeError as error:
        answer = call.go_on("error", error.detail, METHODS)
    else:
        answer = call.go_on("success", Text("You can sign in this way from now on."), METHODS)
    _seals(call.request).end_offer(answer, scope)
    return answer


def _offer(call: PageCall) -> LinkOffer | None:
    """What this browser was offered for the account that is signed in."""
    found = _seals(call.request).offer(call.request.scope, call.platform.clock.now())
    return found if found is not None and found.user_id == call.user_id else None


@router.post(f"{METHODS}/{{identity_id}}/unlink")
async def unlink(
    identity_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.SIGN_IN_METHOD)]
) -> Response:
    """Take a way to sign in away."""
    try:
        await run(call.unit_of_work(IdentityUnitOfWork), commands.unlink, identity_id)
    except DataForgeError as error:
        return call.go_on("error", error.detail, METHODS)
    return call.go_on("success", Text("It no longer signs in to your account."), METHODS)


@router.get(PROVIDERS)
async def providers_page(call: Annotated[PageCall, require_page(Action.READ, Kind.IDENTITY_PROVIDER)]) -> Response:
    """Every provider, and a form for another one."""
    return await _list(
        call, {"name": "", "issuer": "", "client_id": "", "domains": "", "creates_accounts": False, "enabled": True}
    )


@router.post(PROVIDERS)
async def create_provider(call: Annotated[PageCall, require_page(Action.CREATE, Kind.IDENTITY_PROVIDER)]) -> Response:
    """Add a provider."""
    given = _given(call.form)
    try:
        body = wire.SignInProviderIn.model_validate(_filled(call.form, given))
        made = await run(call.unit_of_work(IdentityUnitOfWork), commands.create_provider, saved(call, body))
    except (ValidationError, DataForgeError) as error:
        return await _list(call, given, _said(error))
    return call.go_on("success", Text("Enter the return address at the provider, then check it."), PROVIDERS, made)


@router.get(f"{PROVIDERS}/{{provider_id}}")
async def provider_page(
    provider_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.IDENTITY_PROVIDER)]
) -> Response:
    """One provider, what to enter there, and how to change or remove it."""
    return await _one(call, provider_id)


@router.post(f"{PROVIDERS}/{{provider_id}}")
async def change_provider(
    provider_id: UUID, call: Annotated[PageCall, require_page(Action.CHANGE, Kind.IDENTITY_PROVIDER)]
) -> Response:
    """Change a provider."""
    given = _given(call.form)
    try:
        body = wire.SignInProviderPatch.model_validate(_filled(call.form, given))
        change = commands.ChangeProvider(provider_id, call.form.get("revision", ""), saved(call, body))
        await run(call.unit_of_work(IdentityUnitOfWork), commands.change_provider, change)
    except (ValidationError, DataForgeError) as error:
        return await _one(call, provider_id, _said(error), given)
    return call.go_on("success", Text("The provider is changed."), PROVIDERS, provider_id)


@router.post(f"{PROVIDERS}/{{provider_id}}/check")
async def check_page(
    provider_id: UUID, call: Annotated[PageCall, require_page(Action.READ, Kind.IDENTITY_PROVIDER)]
) -> Response:
    """Ask the provider what it says of itself."""
    provider = await call.query(queries.get_provider, provider_id)
    try:
        found = await check_provider(call, provider)
    except DataForgeError as error:
        return call.go_on("error", error.detail, PROVIDERS, provider_id)
    text = Text(
        "It answers. People sign in at {authorization_endpoint}.",
        authorization_endpoint=found["authorization_endpoint"],
    )
    return call.go_on("success", text, PROVIDERS, provider_id)


@router.post(f"{PROVIDERS}/{{provider_id}}/remove")
async def remove_provider(
    provider_id: UUID, call: Annotated[PageCall, require_page(Action.DELETE, Kind.IDENTITY_PROVIDER)]
) -> Response:
    """Remove a provider."""
    try:
        command = Delete(provider_id, call.form.get("revision", ""))
        await run(call.unit_of_work(IdentityUnitOfWork), commands.delete_provider, command)
    except DataForgeError as error:
        return await _one(call, provider_id, error.detail)
    return call.go_on("success", Text("Nobody signs in there any more."), PROVIDERS)


async def _list(call: PageCall, given: Mapping[str, Any], error: str | None = None) -> Response:
    providers = await call.query(queries.list_providers)
    status = 200 if error is None else 400
    return call.page("identity/sign_in_providers.html", status=status, providers=providers, given=given, error=error)


async def _one(
    call: PageCall, provider_id: UUID, error: str | None = None, given: Mapping[str, Any] | None = None
) -> Response:
    provider = await call.query(queries.get_provider, provider_id)
    return call.page(
        "identity/sign_in_provider.html",
        status=200 if error is None else 400,
        provider=provider,
        given=given or {**provider, "domains": ", ".join(provider["domains"])},
        error=error,
        return_address=absolute_address(call.request.scope, return_path(provider_id)),
    )


def _given(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says, as it is shown again: without the secret."""
    texts = {name: form.get(name, "") for name in ("name", "issuer", "client_id", "domains")}
    return {**texts, **{name: name in form for name in ("creates_accounts", "enabled")}}


def _filled(form: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says, for the same models as the API's."""
    secret = {"client_secret": ""} if "without_secret" in form else {}
    if form.get("client_secret"):
        secret = {"client_secret": form["client_secret"]}
    domains = [part for part in given["domains"].replace(",", " ").split() if part]
    return {**given, **secret, "domains": domains}


def _said(error: ValidationError | DataForgeError) -> str:
    if isinstance(error, ValidationError):
        return " ".join(f"{_label(item['loc'])} {plain_message(item)}." for item in error.errors())
    if isinstance(error, ValidationFailed) and error.violations:
        return f"{_label((error.violations[0].pointer.strip('/'),))} {error.detail}."
    return error.detail


def _label(place: tuple[int | str, ...]) -> str:
    return str(place[0] if place else "the form").replace("_", " ").capitalize()
