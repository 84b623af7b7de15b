"""Mails from templates: a text, and beside it the same in HTML where somebody wrote one, in the reader's language.

`academics/waitlist.txt` is the file `waitlist.txt` in a folder `mails` of a noun of academics. Its first line is
`Subject: …`; the text follows after an empty line. `waitlist.html` beside it extends `mail/layout.html`. What stands in
`{% trans %}` is looked up in the catalogues (see `languages`); `python -m infra.catalogs` brings them up to date.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dataforge
from dataforge.platform.mail.languages import ENGLISH, Reader, translations
from dataforge.platform.mail.message import Mail

if TYPE_CHECKING:
    from datetime import date, datetime

    from jinja2 import BaseLoader, Environment
    from jinja2.runtime import Context

_SUBJECT = "Subject: "


def folders() -> dict[str, list[Path]]:
    """Where templates are, by the first part of their names."""
    package = Path(dataforge.__path__[0])
    found = {"mail": [package / "platform" / "mail" / "templates"]}
    return found | {context.name: sorted(context.glob("*/mails")) for context in package.glob("contexts/*")}


@cache
def environment(language: str = ENGLISH) -> "Environment":
    """The environment of a language: HTML is escaped, text is not, and a value that is missing is an error."""
    from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context, select_autoescape

    @pass_context
    def day(context: "Context", value: "date | str") -> str:
        reader: Reader = context["reader"]
        return reader.day(value)

    @pass_context
    def instant(context: "Context", value: "datetime | str") -> str:
        reader: Reader = context["reader"]
        return reader.instant(value)

    loaders: dict[str, BaseLoader] = {name: FileSystemLoader(paths) for name, paths in folders().items()}
    made = Environment(
        loader=PrefixLoader(loaders),
        autoescape=select_autoescape(enabled_extensions=("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # i18n's
    made.filters |= {"day": day, "instant": instant}
    return made


def compose(
    template: str,
    to: str,
    values: Mapping[str, object],
    *,
    headers: Mapping[str, str] | None = None,
    reader: Reader | None = None,
) -> Mail:
    """The mail that a template and its values make; raises jinja2's UndefinedError for a value that is missing.

    `reader` decides on its language and on how dates and times are written; without one it is English, in UTC.
    """
    from jinja2 import TemplateNotFound

    reader = reader or Reader()
    templates = environment(reader.language)
    given = {**values, "reader": reader}
    head, _, text = templates.get_template(f"{template}.txt").render(given).partition("\n")
    if not head.startswith(_SUBJECT):
        message = f"the template {template}.txt does not begin with its subject"
        raise ValueError(message)
    # A name with a line break in it is no second header.
    subject = " ".join(head.removeprefix(_SUBJECT).split())
    try:
        html = templates.get_template(f"{template}.html").render(given, subject=subject)
    except TemplateNotFound:
        html = None
    return Mail(to, subject, text.strip() + "\n", html, headers or {})
