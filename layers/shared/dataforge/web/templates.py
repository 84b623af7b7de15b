"""Templates: one Jinja2 environment, loaded with the first page, that escapes whatever it is given."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.responses import HTMLResponse
from starlette.types import Scope

import dataforge
from dataforge.http.addresses import own_address
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import may_any
from dataforge.web import flash, session
from dataforge.web.assets import asset_path

# Nothing but our own files is loaded or run, nothing inline, forms go to us only, and nobody may frame a page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PRINCIPAL = "dataforge.principal"  # where a page leaves who is signed in, in the scope


@cache
def environment() -> Environment:
    """The environment: `web/layout.html` is a shared template, `academics/course.html` one of a context's pages."""
    package = Path(dataforge.__path__[0])
    loaders: dict[str, BaseLoader] = {"web": FileSystemLoader(package / "web" / "templates")}
    for context in package.glob("contexts/*"):
        loaders[context.name] = FileSystemLoader(sorted(context.glob("*/templates")))
    made = Environment(
        loader=PrefixLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(number=_number, day=_day, instant=_instant, words=_words, bytes=_bytes)
    made.tests["able_to"] = _able_to
    return made


def _able_to(person: Principal | None, action: str, kind: str) -> bool:
    # Whether a page shows the way to what the table allows to the person's role.
    return person is not None and may_any(person, Action(action), Kind(kind))


def page(scope: Scope, template: str, **values: object) -> HTMLResponse:
    """A page for the request of this scope."""
    return render(scope, template, values)


def render(
    scope: Scope,
    template: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page with a status and headers, and with what every page shows: who is signed in, a message left before."""
    principal: Principal | None = scope.get(PRINCIPAL)
    message = flash.take(scope)
    path = own_address(scope, scope["path"])

    def url(to: str, /, *segments: object, **query: object) -> str:
        return own_address(scope, to, *segments, query=query)

    text = (
        environment()
        .get_template(template)
        .render(
            url=url,
            asset=lambda name: own_address(scope, asset_path(name)),
            at=lambda to: path == url(to) or path.startswith(url(to) + "/"),
            here=lambda to: path == url(to),
            me=principal,
            csrf=session.form_token(scope),
            message=message,
            **values,
        )
    )
    response = HTMLResponse(text, status_code=status, headers=dict(headers or {}))
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    # The same address answers a whole page or, to htmx, a problem that is to be put into the page there is.
    response.headers["Vary"] = "Cookie, HX-Request"
    if message is not None:
        flash.forget(response, scope)
    return response


def _number(value: float | Decimal | None) -> str:
    if isinstance(value, Decimal):  # 3.00 credits are 3
        return format(value.normalize(), ",f")
    return "–" if value is None else f"{value:,}"


def _bytes(value: int) -> str:
    if value < 1_000:
        return f"{value} bytes"
    thousands = value / 1_000
    for unit in ("KB", "MB"):
        if thousands < 1_000:
            return f"{thousands:,.1f} {unit}"
        thousands /= 1_000
    return f"{thousands:,.1f} GB"


def _day(value: date | datetime | None) -> str:
    return "–" if value is None else f"{value.day} {value:%B %Y}"


def _instant(value: datetime | None) -> str:
    return "–" if value is None else f"{value.day} {value:%b %Y, %H:%M} UTC"


def _words(value: Any) -> str:  # noqa: ANN401 - a name of ours
    return str(value).replace("_", " ").lower()
