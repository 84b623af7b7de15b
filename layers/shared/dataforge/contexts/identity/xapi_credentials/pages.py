"""xAPI credentials for administrators, who make them: made, changed, revoked; a secret is shown once.

Who keeps a workspace looks after its credentials through the API.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.contexts.identity.xapi_credentials import commands, queries, wire
from dataforge.contexts.identity.xapi_credentials.calls import publish
from dataforge.contexts.identity.xapi_credentials.domain import DEFAULT_SCOPES
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError
from dataforge.kernel.rules import XAPI_SCOPES
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("identity")

PAGE = "/ui/admin/keys"
SCOPES = sorted(XAPI_SCOPES)


@router.get(PAGE)
async def list_page(call: Annotated[PageCall, require_page(Action.CREATE, Kind.CREDENTIAL)]) -> Response:
    """All credentials, newest first, and a form for another one."""
    return await _list(call, {"name": "", "rate_limit": "", "deduplicate": False, "scopes": set(DEFAULT_SCOPES)})


@router.post(PAGE)
async def create_page(call: Annotated[PageCall, require_page(Action.CREATE, Kind.CREDENTIAL)]) -> Response:
    """Make a credential; its secret is on this page and on no other."""
    given = _given(call.form)
    try:
        body = wire.XapiCredentialIn.model_validate(_filled(given))
        values = body.model_dump(exclude_none=True)
        command = commands.CreateXapiCredential(**{**values, "scopes": tuple(values.get("scopes", ()))})
        made = await run(call.unit_of_work(IdentityUnitOfWork), commands.create_xapi_credential, command)
    except (ValidationError, DataForgeError) as error:
        return await _list(call, given, _said(error))
    await publish(call, made.key_id)
    return call.page("identity/new_key.html", status=201, made=asdict(made))


@router.get(f"{PAGE}/{{key_id}}")
async def key_page(key_id: str, call: Annotated[PageCall, require_page(Action.CREATE, Kind.CREDENTIAL)]) -> Response:
    """One credential: what it may do, when it was used and refused, and how to change or end it."""
    return await _one(call, await call.query(queries.get_xapi_credential, key_id))


@router.post(f"{PAGE}/{{key_id}}")
async def change_page(key_id: str, call: Annotated[PageCall, require_page(Action.CREATE, Kind.CREDENTIAL)]) -> Response:
    """Change a credential."""
    given = _given(call.form)
    try:
        body = wire.XapiCredentialPatch.model_validate(_filled(given))
        changes = {**body.model_dump(exclude_unset=True), "rate_limit": body.rate_limit}
        command = commands.ChangeXapiCredential(key_id, call.form.get("revision", ""), changes)
        await run(call.unit_of_work(IdentityUnitOfWork), commands.change_xapi_credential, command)
    except (ValidationError, DataForgeError) as error:
        return await _one(call, await call.query(queries.get_xapi_credential, key_id), _said(error), given)
    await publish(call, key_id)
    return call.go_on("success", Text("The change takes effect within 30 seconds."), PAGE, key_id)


@router.post(f"{PAGE}/{{key_id}}/revoke")
async def revoke_page(key_id: str, call: Annotated[PageCall, require_page(Action.CREATE, Kind.CREDENTIAL)]) -> Response:
    """End a credential."""
    command = commands.RevokeXapiCredential(key_id)
    await run(call.unit_of_work(IdentityUnitOfWork), commands.revoke_xapi_credential, command)
    await publish(call, key_id)
    return call.go_on("success", Text("The credential is revoked; it stops working within 30 seconds."), PAGE, key_id)


async def _list(call: PageCall, given: Mapping[str, Any], error: str | None = None) -> Response:
    reach = await call.decisions.reach(Action.READ, Kind.CREDENTIAL)
    keys = await call.query(queries.list_xapi_credentials, reach)
    status = 200 if error is None else 400
    return call.page("identity/keys.html", status=status, keys=keys, given=given, error=error, scopes=SCOPES)


async def _one(
    call: PageCall, key: Mapping[str, Any], error: str | None = None, given: Mapping[str, Any] | None = None
) -> Response:
    shown = given or {**key, "rate_limit": key["rate_limit"] or "", "scopes": set(key["scopes"])}
    status = 200 if error is None else 400
    return call.page("identity/key.html", status=status, key=key, given=shown, error=error, scopes=SCOPES)


def _given(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says, as it is shown again."""
    return {
        "name": form.get("name", ""),
        "rate_limit": form.get("rate_limit", ""),
        "deduplicate": "deduplicate" in form,
        "scopes": {scope for scope in SCOPES if f"scope {scope}" in form},
    }


def _filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says, for the same models as the API's."""
    return {**given, "rate_limit": given["rate_limit"] or None, "scopes": sorted(given["scopes"])}


def _said(error: ValidationError | DataForgeError) -> str:
    if isinstance(error, DataForgeError):
        return error.detail
    return " ".join(f"{_label(item['loc'])} {plain_message(item)}." for item in error.errors())


def _label(place: tuple[int | str, ...]) -> str:
    return str(place[0] if place else "the form").replace("_", " ").capitalize()
