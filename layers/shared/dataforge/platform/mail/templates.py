"""Mails from templates: a text, and beside it the same in HTML where somebody wrote one.

`academics/waitlist.txt` is the file `waitlist.txt` in a folder `mails` of a noun of academics. Its first line is
`Subject: …`; the text follows after an empty line. `waitlist.html` beside it extends `mail/layout.html`.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import dataforge
from dataforge.platform.mail.message import Mail

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment

_SUBJECT = "Subject: "


@cache
def environment() -> "Environment":
    """The environment: HTML is escaped, text is not, and a value that is missing is an error."""
    from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined, select_autoescape

    package = Path(dataforge.__path__[0])
    loaders: dict[str, BaseLoader] = {"mail": FileSystemLoader(package / "platform" / "mail" / "templates")}
    for context in package.glob("contexts/*"):
        loaders[context.name] = FileSystemLoader(sorted(context.glob("*/mails")))
    return Environment(
        loader=PrefixLoader(loaders),
        autoescape=select_autoescape(enabled_extensions=("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def compose(template: str, to: str, values: Mapping[str, object], *, headers: Mapping[str, str] | None = None) -> Mail:
    """The mail that a template and its values make; raises jinja2's UndefinedError for a value that is missing."""
    from jinja2 import TemplateNotFound

    given = dict(values)
    head, _, text = environment().get_template(f"{template}.txt").render(given).partition("\n")
    if not head.startswith(_SUBJECT):
        message = f"the template {template}.txt does not begin with its subject"
        raise ValueError(message)
    # A name with a line break in it is no second header.
    subject = " ".join(head.removeprefix(_SUBJECT).split())
    try:
        html = environment().get_template(f"{template}.html").render(given, subject=subject)
    except TemplateNotFound:
        html = None
    return Mail(to, subject, text.strip() + "\n", html, headers or {})
