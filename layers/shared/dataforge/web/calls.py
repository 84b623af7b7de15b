"""Who is at a page: the same checks as for the API, with the session cookie in place of the Authorization header."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BeforeValidator
from starlette.responses import HTMLResponse, Response

from dataforge.http.addresses import this_address
from dataforge.http.auth import Require, find_locale, principal_of_token
from dataforge.http.call import Call
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, Unauthenticated
from dataforge.kernel.principal import Principal
from dataforge.kernel.texts import Text
from dataforge.web import flash, session
from dataforge.web.forms import ACCEPTED, Refusal
from dataforge.web.routing import see_other
from dataforge.web.templates import PRINCIPAL, render

_READS = frozenset({"GET", "HEAD"})


class PageCall(Call):
    """One request of a signed-in person for a page; `form` has the fields that a form sent."""

    def __init__(self, request: Request, principal: Principal, form: Mapping[str, str]) -> None:
        super().__init__(request, principal)
        self.form = form

    def page(self, template: str, *, status: int = 200, refusal: Refusal = ACCEPTED, **values: object) -> HTMLResponse:
        """A page; one that shows a form again has the status of what the form was refused for."""
        shown = status if refusal is ACCEPTED else refusal.status
        return render(self.request.scope, template, {**values, "refusal": refusal}, status=shown)

    def following(self, key: tuple[object, ...] | None) -> str | None:
        """The address of the page of this list that begins after `key`; None if this one is the last."""
        return None if key is None else this_address(self.request.scope, cursor=self.seal(key))

    def see_other(self, path: str, *segments: object, **query: object) -> Response:
        """Go on to one of our pages."""
        return see_other(self.request.scope, path, *segments, **query)

    def go_on(self, kind: str, text: str, path: str, *segments: object) -> Response:
        """Leave a message and go on to one of our pages, after a form."""
        scope = self.request.scope
        return flash.leave(see_other(scope, path, *segments), scope, kind, text)


async def signed_in(request: Request) -> Principal:
    """The person of the session cookie; raises Unauthenticated, which becomes a way to the sign-in page."""
    tokens = session.tokens_of(request.scope)
    if tokens is None:
        message = Text("Sign in to see this page.")
        raise Unauthenticated(message)
    principal = await principal_of_token(request, tokens.access)
    if principal.scopes is not None:
        message = Text("A personal access token is for programs. Sign in to see this page.")
        raise Unauthenticated(message)
    request.scope[PRINCIPAL] = principal
    return principal


async def visitor(request: Request) -> Principal | None:
    """Who is at a page that everybody may see; None for somebody who has not signed in."""
    if session.tokens_of(request.scope) is None:
        return None
    person = await signed_in(request)
    await find_locale(request)
    return person


class PageRequire(Require):
    """Dependency: a person signed in with the session cookie who may do this; gives the PageCall.

    A form is taken only if one of our pages gave it to this browser.
    """

    async def __call__(self, request: Request) -> PageCall:
        """Authenticate, check the form and the role."""
        principal = await signed_in(request)
        form = {} if request.method in _READS else await session.form_of(request)
        call = await self.admit(request, principal)
        request.scope[PRINCIPAL] = call.principal
        await find_locale(request)
        return PageCall(request, call.principal, form)


def require_page(action: Action, kind: Kind) -> Any:  # noqa: ANN401 - FastAPI's marker
    """What a page's parameter says of who may see it: `Annotated[PageCall, require_page(Action.READ, Kind.COURSE)]`."""
    return Depends(PageRequire(action, kind))


def public_page(
    request: Request,
    template: str,
    values: Mapping[str, object],
    error: DataForgeError | None = None,
    refusal: Refusal = ACCEPTED,
) -> Response:
    """A page with a form for somebody who need not have signed in, with what the form before was refused for."""
    status, headers = (refusal.status, None) if error is None else (error.status, error.headers)
    given = {**values, "error": error, "refusal": refusal}
    shown = render(request.scope, template, given, status=status, headers=headers)
    return session.keep_form_owner(shown, request.scope)


def _chosen(value: object) -> object:
    return value or None


# A choice of a form that was left open arrives as an empty text.
Chosen = BeforeValidator(_chosen)
ChosenId = Annotated[UUID | None, Chosen]
Visitor = Annotated[Principal | None, Depends(visitor)]
PublicForm = Annotated[dict[str, str], Depends(session.form_of)]
