"""What a text is in another language: looked up in the gettext catalogues beside this file, in `catalogs`.

English is what the code says. Every other language is a file there, `de.po`; `python -m infra.catalogs` brings it up to
date. What a catalogue lacks is said in English. Catalogues are read, and Babel is imported, with the first text that
somebody wants in another language than English.

A text that was stored is no Text any more, only English: it is found by the messages that it can have been made of.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from dataforge.kernel.texts import Text

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

CATALOGS = Path(__file__).parent / "catalogs"
ENGLISH = "en"
_LONGEST = 4_000  # characters of a stored text that is looked for by its message
_LEAST_BEGINNING, _MOST_BEGINNING = 4, 12  # characters that messages with values are looked up by
_DEEPEST = 5  # texts within texts
# Where thousands are grouped and decimals begin. English numbers are written by format() itself.
_MARKS = {"de": str.maketrans(",.", ".,")}


@cache
def languages() -> tuple[str, ...]:
    """English, and every language that has a catalogue."""
    return (ENGLISH, *sorted(path.stem for path in CATALOGS.glob("*.po")))


@cache
def catalog_of(language: str) -> "Catalog":
    """The catalogue of one of `languages` but English, as a translator writes it."""
    from babel.messages.pofile import read_po

    with (CATALOGS / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: "Catalog") -> NullTranslations:
    """A catalogue as gettext looks things up in it; what is marked `fuzzy` is left out."""
    from babel.messages.mofile import write_mo

    file = BytesIO()
    write_mo(file, catalog)
    file.seek(0)
    return GNUTranslations(file)


@cache
def _translations(language: str) -> NullTranslations:
    return compiled(catalog_of(language))


def translate(text: str, language: str) -> str:
    """A text in one of `languages`; one that its catalogue does not know stays as it is."""
    if language == ENGLISH or not text:
        return str.__str__(text)
    return _translated(text, language, 0) if isinstance(text, Text) else _stored(text, language)


def known_translation(message: str, language: str) -> str | None:
    """What a message is in one of `languages`, its places as they are; None for one that its catalogue lacks."""
    said = _translations(language).gettext(message)
    return said if message and said != message else None


def _translated(text: Text, language: str, depth: int) -> str:
    translations = _translations(language)
    if text.plural is None:
        message = translations.gettext(text.message)
    else:
        count = text.values["count"]
        message = translations.ngettext(text.message, text.plural, count if isinstance(count, int) else 2)
    if not text.values or depth > _DEEPEST:
        return message if not text.values else str.__str__(text)
    # What a person or program has sent is no text of ours, even if it reads like one.
    values = {
        name: _translated(value, language, depth + 1) if isinstance(value, Text) else value
        for name, value in text.values.items()
    }
    try:
        return _Writer(language).vformat(message, (), values)
    except (KeyError, ValueError, TypeError):  # a catalogue that nobody has checked names another value
        return str.__str__(text)


def with_marks(number: str, language: str) -> str:
    """A number written by format() with the marks of a language: 1,234.5 is 1.234,5 in German."""
    return number.translate(_MARKS[language]) if language in _MARKS else number


class _Writer(Formatter):
    """Formats as str.format does, with the marks of another language in numbers."""

    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: object, format_spec: str) -> str:
        """A value as its format says."""
        formatted = format(value, format_spec)
        is_number = isinstance(value, int | float | Decimal) and format_spec
        return with_marks(formatted, self._language) if is_number else formatted


def _stored(text: str, language: str) -> str:
    translations = _translations(language)
    message = translations.gettext(text)
    if message != text or len(text) > _LONGEST:
        return message
    for pieces, known in _by_beginning(language, text):
        values = _values_in(text, pieces)
        if values is not None:
            written = {name: translations.gettext(value) if value else "" for name, value in values.items()}
            return "".join(
                literal + written.get(name or "", "") for literal, name in _pieces(translations.gettext(known))
            )
    return text


def _pieces(message: str) -> Sequence[tuple[str, str | None]]:
    """A message as literals, each with the name of the value that follows it."""
    return [(literal, name) for literal, name, _, _ in Formatter().parse(message)]


def _values_in(text: str, pieces: Sequence[tuple[str, str | None]]) -> dict[str, str] | None:
    """The values that make the text of the message, each as short as it can be; None if none do.

    Without a regular expression: a text that people have chosen parts of could make one take very long.
    """
    place, name_before, values = 0, None, dict[str, str]()
    last = len(pieces) - 1
    for number, (literal, name) in enumerate(pieces):
        at = len(text) - len(literal) if number == last and name is None else text.find(literal, place)
        if at < place or not text.startswith(literal, at) or (name_before is None and at != place):
            return None
        if name_before is not None:
            values[name_before] = text[place:at]
        place, name_before = at + len(literal), name
    if name_before is not None:
        values[name_before], place = text[place:], len(text)
    return values if place == len(text) else None


def _by_beginning(language: str, text: str) -> Iterable[tuple[Sequence[tuple[str, str | None]], str]]:
    index = _index(language)
    for length in range(_MOST_BEGINNING, _LEAST_BEGINNING - 1, -1):
        yield from index.get(text[:length], ())


@cache
def _index(language: str) -> Mapping[str, Sequence[tuple[Sequence[tuple[str, str | None]], str]]]:
    """The messages with values by how they begin, the longest first; what begins with a value could be anything."""
    index: dict[str, list[tuple[Sequence[tuple[str, str | None]], str]]] = {}
    singulars = (item.id if isinstance(item.id, str) else item.id[0] for item in catalog_of(language) if item.id)
    for message in sorted(singulars, key=len, reverse=True):
        try:
            pieces = _pieces(message)
        except ValueError:  # a message without values, whose braces are no placeholders
            continue
        beginning = pieces[0][0][:_MOST_BEGINNING]
        if len(beginning) >= _LEAST_BEGINNING and any(name for _, name in pieces):
            index.setdefault(beginning, []).append((pieces, message))
    return index
