"""What an e-mail address is: one answer for sign-up, students, learner lists, invitations and rosters.

Narrower than RFC 5321 on purpose: no quoted local parts, no address literals, and no character that separates or quotes
addresses, so that one text never becomes two recipients. The part before the @ is ASCII, because what is not needs
SMTPUTF8 (RFC 6531), which our sender does not speak. A domain in other letters is kept as its A-labels (`xn--…`,
RFC 5890 §2.3.2.1), so that one that looks like another one does not look so here; a label of several scripts, which is
how one looks like another, is refused (UTS 39 §5.2, "highly restrictive").
"""

import re
import unicodedata

from dataforge.kernel.texts import Text

# RFC 5321 §4.5.3.1 has 64 octets for the part before @ and 254 for the whole path.
MAX_EMAIL = 254
_ATOM = r"[^@\s\x00-\x1f\x7f,;:<>()\[\]\\\".]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_A_LABEL = "xn--"
# What nearly all addresses are: all of it in ASCII, and as it is stored, unless a label is an A-label.
_PLAIN = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
# Scripts that one language is written in, each with Latin beside it (UTS 39 §5.2).
_WRITTEN_TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
)
_EXPECTED = Text("must be an e-mail address such as ada@example.org")


class NotAnAddress(ValueError):
    """A text is no e-mail address that we take; the message says what is wrong with it, and where."""


def parse_email(text: str) -> str:
    """The address as it is stored, with the domain in ASCII; a domain without a dot, such as localhost, is one too.

    Letter case stays as it was given. Raises NotAnAddress.
    """
    if text.isascii() and len(text) <= MAX_EMAIL and _PLAIN.fullmatch(text) and _A_LABEL not in text.lower():
        return text
    # Nothing is looked at closely that is too long; in lower case, since some letters (İ) have more characters there.
    if len(text.lower()) > MAX_EMAIL:
        raise NotAnAddress(_EXPECTED)
    local, _, domain = text.partition("@")
    if not 1 <= len(local) <= 64 or _LOCAL.fullmatch(local) is None:
        raise NotAnAddress(_EXPECTED)
    if not local.isascii():
        at = next(index for index, character in enumerate(local) if not character.isascii())
        message = Text(
            "has {local!r} at character {at}; before the @ only ASCII can be written to", local=local[at], at=at + 1
        )
        raise NotAnAddress(message)
    labels, at = [], len(local) + 1
    for label in domain.split("."):
        labels.append(_ascii_label(label, at))
        at += len(label) + 1
    address = f"{local}@{'.'.join(labels)}"
    if len(address) > MAX_EMAIL:
        raise NotAnAddress(_EXPECTED)
    return address


def is_email(text: str) -> bool:
    """Whether the text is exactly one e-mail address."""
    return normal_email(text) is not None


def normal_email(text: str) -> str | None:
    """The address in the form that people are found by, in lower case; None for a text that is no address."""
    try:
        return parse_email(text).lower()
    except NotAnAddress:
        return None


def _ascii_label(label: str, at: int) -> str:
    """A label of a domain in ASCII; `at` is where it begins in the address, counted from 0."""
    if label.isascii():
        if _LABEL.fullmatch(label) is None:
            raise NotAnAddress(_EXPECTED)
        if not label.lower().startswith(_A_LABEL):
            return label
    # Few addresses need its tables.
    import idna

    try:
        shown = idna.ulabel(label.lower()) if label.isascii() else unicodedata.normalize("NFC", label.lower())
        encoded = idna.alabel(shown).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        message = Text(
            "has the label {label!r} at character {at} of the domain part, which no domain can have",
            label=label[:63],
            at=at + 1,
        )
        raise NotAnAddress(message) from error
    _refuse_mixture(label, shown, at)
    return encoded


def _refuse_mixture(label: str, shown: str, at: int) -> None:
    scripts: dict[str, int] = {}
    for index, character in enumerate(shown):
        # Digits, hyphens and marks belong to whatever they stand with.
        if unicodedata.category(character).startswith("L"):
            scripts.setdefault(unicodedata.name(character, "UNNAMED").split(" ")[0].split("-")[0], index)
    if len(scripts) < 2 or any(scripts.keys() <= together for together in _WRITTEN_TOGETHER):
        return
    (first, _), (other, index) = list(scripts.items())[:2]
    # The place is one in the given text, unless that has the label in ASCII already.
    place = at + 1 if label.isascii() else at + index + 1
    message = Text(
        "has {shown!r} ({other}) beside {first} letters in the label {shown_2!r} "
        "at character {place}; a domain that mixes alphabets can look like another one",
        shown=shown[index],
        other=other.capitalize(),
        first=first.capitalize(),
        shown_2=shown,
        place=place,
    )
    raise NotAnAddress(message)
