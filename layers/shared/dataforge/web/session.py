"""The session cookie of pages, and what a form needs to prove that it is ours.

The cookie holds the refresh token of a sign-in and an access token, apart by a dot. HttpOnly: no script reads it.
SameSite=Lax: no other site's form or script sends it. With https its name begins with `__Host-`, so that no other host
of the domain can set it (RFC 6265bis §4.1.3). It is good for pages only; the API takes bearer tokens and no cookies.
"""

import secrets
from collections.abc import Mapping
from hmac import compare_digest
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from dataforge.http.addresses import PUBLIC_BASE_URL
from dataforge.kernel.errors import BadRequest, Forbidden, UnsupportedMediaType
from dataforge.kernel.paging import CursorSigner
from dataforge.kernel.texts import Text
from dataforge.platform.services import Platform
from dataforge.web import multipart

SESSION, FORM = "dataforge", "dataforge_form"
CSRF_FIELD = "csrf"
_FIELDS = 200  # of a form at most
_SITES = frozenset({"same-origin", "none"})  # values of Sec-Fetch-Site; a browser of before 2023 sends none
_NONCE = "dataforge.form_nonce"


class FormRefused(Forbidden):
    """A form was sent that none of our pages gave to this browser, or whose page is too old."""

    code = "form_refused"
    title = "The form is no longer valid"


class Tokens(NamedTuple):
    """What the session cookie holds."""

    refresh: str
    access: str


def is_secure(scope: Scope) -> bool:
    """Whether the browser talks https to us, by the configured address first: a request may tell a guessed scheme."""
    configured = str(scope.get(PUBLIC_BASE_URL) or "")
    return configured.startswith("https:") if configured else scope.get("scheme") == "https"


def _name(scope: Scope, name: str) -> str:
    return f"__Host-{name}" if is_secure(scope) else name


def cookie(scope: Scope, name: str) -> str | None:
    """A cookie of ours."""
    given = "; ".join(Headers(scope=scope).getlist("cookie"))
    return cookie_parser(given).get(_name(scope, name))


def set_cookie(response: Response, scope: Scope, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie of ours; without `seconds` it goes with the browser's session."""
    lax: Literal["lax"] = "lax"
    response.set_cookie(
        _name(scope, name), value, max_age=seconds, path="/", secure=is_secure(scope), httponly=True, samesite=lax
    )


def clear_cookie(response: Response, scope: Scope, name: str) -> None:
    """Take a cookie of ours away."""
    set_cookie(response, scope, name, "", seconds=0)


def tokens_of(scope: Scope) -> Tokens | None:
    """The tokens in the session cookie."""
    refresh, dot, access = (cookie(scope, SESSION) or "").partition(".")
    return Tokens(refresh, access) if dot and refresh and access else None


def begin(response: Response, scope: Scope, issued: Mapping[str, object]) -> Response:
    """Keep the tokens of a sign-in in the browser."""
    set_cookie(response, scope, SESSION, f"{issued['refresh_token']}.{issued['access_token']}")
    return response


def end(response: Response, scope: Scope) -> Response:
    """Forget the tokens."""
    clear_cookie(response, scope, SESSION)
    return response


def sealer(scope: Scope) -> CursorSigner:
    """Seals what a browser keeps for us, with the application's key."""
    platform: Platform = scope["app"].state.platform
    return platform.cursors


def form_token(scope: Scope) -> str:
    """What every form of a page carries in the field `csrf`: bound to the sign-in, before one to the browser."""
    return sealer(scope).seal(f"csrf {_form_owner(scope)}", ()) if "app" in scope else ""


def _form_owner(scope: Scope) -> str:
    tokens = tokens_of(scope)
    if tokens is not None:
        return tokens.refresh
    return str(cookie(scope, FORM) or scope.setdefault(_NONCE, secrets.token_urlsafe(16)))


def keep_form_owner(response: Response, scope: Scope) -> Response:
    """Let a browser without a sign-in send the form of this page."""
    nonce = scope.get(_NONCE)
    if nonce is not None:
        set_cookie(response, scope, FORM, nonce)
    return response


async def _fields_of(request: Request) -> dict[str, str]:
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == multipart.KIND:
        fields, files = multipart.read_multipart(content_type, await request.body())
        multipart.keep_files(request.scope, files)
        return dict(fields)
    if kind != "application/x-www-form-urlencoded":
        message = Text("Pages read forms: application/x-www-form-urlencoded or multipart/form-data.")
        raise UnsupportedMediaType(message)
    try:
        text = (await request.body()).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"))
    except ValueError as error:  # a UnicodeDecodeError is one, too
        message = Text("The form cannot be read.")
        raise BadRequest(message) from error


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form of ours, the last of each name.

    Raises FormRefused unless one of our pages made it for this browser, UnsupportedMediaType, BadRequest.
    """
    if request.headers.get("sec-fetch-site", "none") not in _SITES:
        message = Text("This form was sent from another site.")
        raise FormRefused(message)
    fields = await _fields_of(request)
    if any("\0" in value for value in fields.values()):
        message = Text("The form contains a NUL character.")
        raise BadRequest(message)
    if not compare_digest(fields.pop(CSRF_FIELD, "").encode(), form_token(request.scope).encode()):
        message = Text(
            "The page with this form is too old, or was opened in another sign-in. Load it again and repeat."
        )
        raise FormRefused(message)
    return fields
