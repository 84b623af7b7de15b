"""Texts for people that can be said in another language than English: what gettext calls messages, with their values.

A text is written in English where it arises and is an ordinary string from then on: it is logged, compared and stored
as English. Whoever answers a person (see `http/languages.py`) still knows its message and looks that up in a catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

_PLAIN = (str, int, float, bool, type(None))


class Text(str):
    """English text made of a message (a format string such as `There is no course {code!r}.`) and its values.

    Without values the message is the text as it is, braces and all. A value that is a Text itself is translated with
    the text that it is part of.
    """

    __slots__ = ("message", "plural", "values")

    message: str
    plural: str | None
    values: Mapping[str, object]

    def __new__(cls, message: str, /, **values: object) -> Self:
        """The text in English; raises KeyError for a value that is missing."""
        text = super().__new__(cls, message.format_map(values) if values else message)
        text.message, text.plural, text.values = message, None, values
        return text

    @classmethod
    def counted(cls, singular: str, plural: str, /, *, count: int, **values: object) -> Self:
        """The text about one thing or several; both messages may have `{count}` in them."""
        values["count"] = count
        text = super().__new__(cls, (singular if count == 1 else plural).format_map(values))
        text.message, text.plural, text.values = singular, plural, values
        return text

    def __str__(self) -> str:
        """Itself: `str(error)` of an exception keeps what can be translated."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """How a text gets from one process to another: with such values only as every process knows."""
        values = {name: value if isinstance(value, _PLAIN) else str(value) for name, value in self.values.items()}
        return _restored, (str.__str__(self), self.message, self.plural, values)


def _restored(english: str, message: str, plural: str | None, values: Mapping[str, object]) -> Text:
    text = str.__new__(Text, english)
    text.message, text.plural, text.values = message, plural, values
    return text


def joined(texts: list[str], separator: str = " ") -> str:
    """Several texts in one, each of which is still translated."""
    names = [f"text_{number}" for number in range(len(texts))]
    return Text(separator.join(f"{{{name}}}" for name in names), **dict(zip(names, texts, strict=True)))
