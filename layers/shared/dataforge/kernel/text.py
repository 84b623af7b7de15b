"""One spelling of a text that can be written in several ways."""

import unicodedata


def composed(text: str) -> str:
    """The text in Unicode's normal form NFC: one system writes é as one character, another as e and an accent.

    Names, numbers and codes are compared character by character; nobody can tell the two apart by looking at them.
    """
    return unicodedata.normalize("NFC", text)


def composed_if_text(value: object) -> object:
    """`composed` for what may be no text yet; limits of length hold for what comes out, which may be longer."""
    return composed(value) if isinstance(value, str) else value
