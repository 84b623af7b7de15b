"""In which language an answer is: by the profile of the person who asks, else by the header Accept-Language.

A profile that has `en`, which all begin with, has chosen nothing, and leaves the choice to the header.
"""

from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope

from dataforge.http.negotiation import varies_by
from dataforge.kernel.texts import Text
from dataforge.platform.texts.translation import ENGLISH, languages, translate

LOCALE = "dataforge.locale"  # where the locale of the person's profile is left, in the scope
_MOST_RANGES = 20


def language_of(scope: Scope) -> str:
    """The language of `languages` that the answer to the request of this scope is in."""
    chosen = str(scope.get(LOCALE) or "")
    if chosen not in ("", ENGLISH):
        return _closest(chosen, languages()) or ENGLISH
    return accepted_language(Headers(scope=scope).get("accept-language", ""), languages()) or ENGLISH


def accepted_language(accept_language: str, offered: Sequence[str]) -> str | None:
    """The offered language that the header Accept-Language weighs highest (RFC 9110 §12.5.4, RFC 4647 §3.4).

    None if it names none of them; the first of those it weighs alike.
    """
    best, highest = None, 0.0
    for item in accept_language.split(",")[:_MOST_RANGES]:
        tag, *parameters = [part.strip() for part in item.split(";")]
        quality = next((part[2:].strip() for part in parameters if part.lower().startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            continue
        language = offered[0] if tag == "*" else _closest(tag, offered)
        if language is not None and highest < weight <= 1:
            best, highest = language, weight
    return best


def _closest(tag: str, offered: Sequence[str]) -> str | None:
    language = tag.replace("_", "-").partition("-")[0].lower()
    return language if language in offered else None


def in_words_of(scope: Scope, text: str) -> str:
    """A text in the language of the answer."""
    return translate(text, language_of(scope))


def say_language(headers: MutableHeaders, scope: Scope) -> None:
    """Say in an answer which language it is in, and that another request may get it in another one."""
    headers["Content-Language"] = language_of(scope)
    varies_by(headers, "Accept-Language")


def translated(value: object, language: str) -> object:
    """A member of a document with the texts in it translated; what is no Text stays as it is."""
    if isinstance(value, Text):
        return translate(value, language)
    if isinstance(value, Mapping):
        return {name: translated(item, language) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [translated(item, language) for item in value]
    return value


def failure_in_words_of(scope: Scope, failure: Mapping[str, object] | None) -> dict[str, object] | None:
    """The stored failure of a job with its title, its detail and that of each place in the language of the answer."""
    if failure is None:
        return None
    said = {name: _said(scope, value) if name in _SAID else value for name, value in failure.items()}
    places = failure.get("errors")
    if isinstance(places, list):
        said["errors"] = [
            {**place, "detail": _said(scope, place.get("detail"))} if isinstance(place, Mapping) else place
            for place in places
        ]
    return said


_SAID = frozenset({"title", "detail"})


def _said(scope: Scope, value: object) -> object:
    return in_words_of(scope, value) if isinstance(value, str) else value
