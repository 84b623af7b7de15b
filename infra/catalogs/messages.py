"""What the templates of mails say, and what a catalogue lacks of it or of the texts of the API."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from string import Formatter

from babel.messages.catalog import Catalog, Message
from jinja2.ext import babel_extract

from dataforge.platform.mail.templates import folders
from infra.local.layout import ROOT

_KEYWORDS = {"gettext": None, "ngettext": (1, 2)}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_PLURAL_ENDING = re.compile(r"s\d*")  # of English: `{count} row{s}`
_TAG = re.compile(r"</?[a-z]+\d*>")


def extract() -> Catalog:
    """Every message of every template, with where it stands."""
    catalog = Catalog(project="dataforge", charset="utf-8")
    for path in sorted(file for paths in folders().values() for folder in paths for file in folder.glob("*.*")):
        with path.open("rb") as file:
            options = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
            for _, _, text, comments in babel_extract(file, list(_KEYWORDS), [], options):
                given = (text,) if isinstance(text, str) else text or ()
                parts = tuple(part for part in given if part is not None)[:2]
                found = parts if len(parts) == 2 else parts[0]
                catalog.add(found, locations=[(path.relative_to(ROOT).as_posix(), 0)], auto_comments=comments)
    return catalog


def problems(catalog: Catalog, template: Catalog) -> list[str]:
    """What a catalogue lacks, has too much of, or says with other placeholders than its template."""
    found = []
    for message in _entries(template):
        ours = catalog.get(message.id)
        if ours is None or ours.fuzzy or not all(_forms(ours)):
            found.append(f"not translated: {_singular(message)!r}")
            continue
        if isinstance(message.id, tuple) and len(_forms(ours)) != catalog.num_plurals:
            found.append(f"{catalog.num_plurals} plural forms are needed: {_singular(message)!r}")
        wanted = [placeholders(text) for text in _texts(message.id)]
        # A singular may say "one lesson" where the plural has a number, and the other way round.
        wrong = [text for text in _forms(ours) if placeholders(text) not in wanted]
        found.extend(f"other placeholders: {text!r}" for text in wrong)
    known = {message.id for message in _entries(template)}
    found.extend(f"no template says: {_singular(item)!r}" for item in _entries(catalog) if item.id not in known)
    return found


def placeholders(text: str) -> frozenset[str]:
    """The names of the values that a message takes: `%(name)s` in mails, `{name}` and tags in texts."""
    found = set(_PLACEHOLDER.findall(text))
    with suppress(ValueError):  # braces that are no placeholders, in a message without values
        found |= {name for _, name, _, _ in Formatter().parse(text) if name and not _PLURAL_ENDING.fullmatch(name)}
    found |= set(_TAG.findall(text))
    return frozenset(found)


def _entries(catalog: Catalog) -> Iterable[Message]:
    return (message for message in catalog if message.id)


def _texts(given: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _forms(message: Message) -> tuple[str, ...]:
    return _texts(message.string or "")


def _singular(message: Message) -> str:
    return _texts(message.id)[0]
