"""My account: what it is, and the name that others see."""

from typing import Annotated

from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.identity.accounts import commands, queries
from dataforge.contexts.identity.accounts.wire import ProfileIn
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.texts import Text
from dataforge.kernel.validation import plain_message
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("identity")
PAGE = "/ui/account"


@router.get(PAGE)
async def account_page(call: Annotated[PageCall, require_page(Action.READ, Kind.ACCOUNT)]) -> Response:
    """The account, and the ways to all of its pages."""
    return await _shown(call)


@router.post(PAGE)
async def change_name(call: Annotated[PageCall, require_page(Action.CHANGE, Kind.ACCOUNT)]) -> Response:
    """Change the name that others see."""
    name = call.form.get("display_name", "").strip()
    try:
        changes = ProfileIn(display_name=name).model_dump(exclude_unset=True)
    except ValidationError as error:
        return await _shown(
            call, name, Text("The name {plain_message}.", plain_message=plain_message(error.errors()[0]))
        )
    command = commands.ChangeUser(call.user_id, "*", changes)
    await run(call.unit_of_work(IdentityUnitOfWork), commands.change_user, command)
    return call.go_on("success", Text("Your name is kept."), PAGE)


async def _shown(call: PageCall, name: str | None = None, error: str | None = None) -> Response:
    user = await call.query(queries.get_user, call.user_id)
    shown = user["display_name"] if name is None else name
    return call.page("identity/account.html", status=400 if error else 200, user=user, name=shown, error=error)
