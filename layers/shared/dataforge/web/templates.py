"""Templates: a Jinja2 environment for each language, loaded with its first page, that escapes whatever it is given."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from jinja2.ext import Extension
from starlette.responses import HTMLResponse
from starlette.types import Scope

import dataforge
from dataforge.http.addresses import own_address
from dataforge.http.languages import language_of, say_language
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.principal import Principal
from dataforge.kernel.rules import may_any
from dataforge.kernel.texts import Text
from dataforge.platform.texts.translation import ENGLISH, known_translation, translate, with_marks
from dataforge.web import flash, session
from dataforge.web.assets import asset_path
from dataforge.web.translation import translated

# Nothing but our own files is loaded or run, nothing inline, forms go to us only, and nobody may frame a page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PRINCIPAL = "dataforge.principal"  # where a page leaves who is signed in, in the scope


class _Translated(Extension):
    """Puts what templates say into the language of their environment when they are compiled."""

    def preprocess(self, source: str, _name: str | None, _filename: str | None = None) -> str:
        """The source of a template in the language."""
        return translated(source, partial(known_translation, language=str(self.environment.globals["language"])))


@cache
def environment(language: str = ENGLISH) -> Environment:
    """The environment: `web/layout.html` is a shared template, `academics/course.html` one of a context's pages.

    What templates say is translated when they are compiled, a Text among their values when it is written.
    """

    def in_language(value: object) -> object:
        return translate(value, language) if isinstance(value, Text) else value

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
        finalize=in_language,
    )
    made.globals["language"] = language
    if language != ENGLISH:
        made.add_extension(_Translated)
    made.filters.update(
        said=partial(translate, language=language),
        number=partial(_number, language=language),
        day=partial(_day, language=language),
        instant=partial(_instant, language=language),
        words=_words,
        bytes=partial(_bytes, language=language),
        measured=partial(_measured, language=language),
    )
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

    language = language_of(scope)
    text = (
        environment(language)
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
    say_language(response.headers, scope)
    if message is not None:
        flash.forget(response, scope)
    return response


def _number(value: float | Decimal | None, language: str = ENGLISH) -> str:
    if value is None:
        return "–"
    if isinstance(value, Decimal):  # 3.00 credits are 3
        value = value.normalize()
    written = format(value, ",f" if isinstance(value, Decimal) else ",")
    return with_marks(written, language)


def _bytes(value: int, language: str = ENGLISH) -> str:
    if value < 1_000:
        return f"{value} {translate(Text('bytes'), language)}"
    thousands = value / 1_000
    for unit in ("KB", "MB"):
        if thousands < 1_000:
            return f"{with_marks(f'{thousands:,.1f}', language)} {unit}"
        thousands /= 1_000
    return f"{with_marks(f'{thousands:,.1f}', language)} GB"


def _measured(value: float | None, unit: str, language: str = ENGLISH) -> str:
    """A value of a gauge with its unit."""
    if value is None or unit == "":
        return _number(value if value is None else round(value), language)
    if unit == "bytes":
        return _bytes(round(value), language)
    for limit, size, name in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if value < limit:
            return f"{with_marks(f'{value / size:,.3g}', language)} {name}"
    return f"{with_marks(f'{value / 86_400:,.3g}', language)} {translate(Text('days'), language)}"


def _day(value: date | datetime | None, language: str = ENGLISH) -> str:
    if value is None:
        return "–"
    if language == ENGLISH:
        return f"{value.day} {value:%B %Y}"
    from babel.dates import format_date

    return format_date(value, "long", language)


def _instant(value: datetime | None, language: str = ENGLISH) -> str:
    if value is None:
        return "–"
    if language == ENGLISH:
        return f"{value.day} {value:%b %Y, %H:%M} UTC"
    from babel.dates import format_date, format_time

    return f"{format_date(value, 'medium', language)}, {format_time(value, 'short', locale=language)} UTC"


def _words(value: Any) -> str:  # noqa: ANN401 - a name of ours
    return str(value).replace("_", " ").lower()
