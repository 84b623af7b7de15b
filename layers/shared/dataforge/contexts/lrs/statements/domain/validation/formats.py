"""Strings of a particular form: identifiers, IRIs, language tags, times, and the maps keyed by them."""

import re
from functools import lru_cache

from dataforge.contexts.lrs.statements.domain.json_text import MAX_DEPTH, pointer_token
from dataforge.contexts.lrs.statements.domain.rules import Rule
from dataforge.contexts.lrs.statements.domain.times import is_duration, is_rfc_3339, parse_timestamp
from dataforge.contexts.lrs.statements.domain.validation.report import Report, preview
from dataforge.contexts.lrs.statements.domain.versions import XapiVersion, is_statement_version
from dataforge.kernel.texts import Text

UUID_TEXT = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\Z")
# RFC 3987 §2.2: a scheme, and after it none of the characters that are excluded from IRIs; `%` starts two hex digits.
# Possessive, so that a megabyte of IRI costs neither a stack nor a second look.
_IRI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*:"
    '(?:[^\\x00-\\x20\\x7f-\\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff<>"{}|\\\\^`%]++'
    r"|%[0-9A-Fa-f]{2})++\Z",
)
# RFC 5646 §2.1. Repeated variants and singletons are looked for afterwards (§2.2.9).
_LANGUAGE_TAG = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"
    r"(?:-[a-z]{4})?"
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*)"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?\Z",
)
_PRIVATE_TAG = re.compile(r"x(?:-[a-z0-9]{1,8})+\Z")
# fmt: off
_GRANDFATHERED = frozenset({
    "en-gb-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon",
    "i-lux", "i-mingo", "i-navajo", "i-pwn", "i-tao", "i-tay", "i-tsu",
    "sgn-be-fr", "sgn-be-nl", "sgn-ch-de", "art-lojban", "cel-gaulish", "no-bok", "no-nyn",
    "zh-guoyu", "zh-hakka", "zh-min", "zh-min-nan", "zh-xiang",
})
# fmt: on
_MAX_TAG_LENGTH = 255
_CACHED_LENGTH = 256


def is_language_tag(tag: str) -> bool:
    """Whether a language tag is well-formed (RFC 5646 §2.2.9); registration of its subtags is not looked at."""
    return len(tag) <= _MAX_TAG_LENGTH and tag.isascii() and _is_tag(tag)


@lru_cache(maxsize=4096)
def _is_tag(tag: str) -> bool:
    tag = tag.lower()
    match = _LANGUAGE_TAG.match(tag)
    if match is None:
        return bool(_PRIVATE_TAG.match(tag)) or tag in _GRANDFATHERED
    variants = match["variants"].split("-")[1:]
    singletons = [subtag for subtag in match["extensions"].split("-") if len(subtag) == 1]
    return len(set(variants)) == len(variants) and len(set(singletons)) == len(singletons)


def is_iri(text: str) -> bool:
    """Whether the text is an absolute IRI by its characters: a scheme and no excluded one (RFC 3987 §2.2)."""
    # Verbs and activities come again and again; a long IRI is not worth the memory it would hold.
    return _is_short_iri(text) if len(text) <= _CACHED_LENGTH else _IRI.match(text) is not None


@lru_cache(maxsize=8192)
def _is_short_iri(text: str) -> bool:
    return _IRI.match(text) is not None


def check_iri(value: object, path: str, report: Report) -> None:
    """An absolute IRI, IRL or URI."""
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with an absolute IRI"))
    elif not is_iri(value):
        message = Text(
            "{value} is not an absolute IRI: it needs a scheme such as https: and no spaces or quotes.",
            value=preview(value),
        )
        report.add(path, Rule.IRI, message)


def check_uuid(value: object, path: str, report: Report) -> None:
    """A UUID in the text form of RFC 4122: 8-4-4-4-12 hex digits."""
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with a UUID"))
    elif UUID_TEXT.match(value) is None:
        message = Text("{value} is not a UUID of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.", value=preview(value))
        report.add(path, Rule.UUID, message)


def check_timestamp(value: object, path: str, report: Report) -> None:
    """An ISO 8601 date and time; under 2.0 as RFC 3339 writes it (IEEE 9274.1.1 §4.2.7)."""
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with a timestamp"))
    elif parse_timestamp(value) is None:
        message = Text(
            "{value} is not a timestamp such as 2026-03-01T09:30:00.000Z"
            " (a date that exists, a time, and no offset of -00:00).",
            value=preview(value),
        )
        report.add(path, Rule.TIMESTAMP, message)
    elif report.version is XapiVersion.V2_0 and not is_rfc_3339(value):
        message = Text(
            "{value} is not written as RFC 3339 wants it, which xAPI 2.0 asks for: with seconds, a point"
            " before their fraction, and Z or an offset such as +01:00.",
            value=preview(value),
        )
        report.add(path, Rule.TIMESTAMP, message)


def check_duration(value: object, path: str, report: Report) -> None:
    """An ISO 8601 duration with designators."""
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with a duration"))
    elif not is_duration(value):
        report.add(
            path,
            Rule.DURATION,
            Text("{value} is not an ISO 8601 duration such as PT1H30M or PT4.5S.", value=preview(value)),
        )


def check_version(value: object, path: str, report: Report) -> None:
    """The statement's own version."""
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with a version"))
    elif not is_statement_version(value, report.version):
        wanted = "1.0 or 1.0.x" if report.version is XapiVersion.V1_0 else "1.0.x or 2.0.x"
        report.add(
            path,
            Rule.VERSION,
            Text("Version {value} is not accepted here; it must be {wanted}.", value=preview(value), wanted=wanted),
        )


def check_language_tag(value: object, path: str, report: Report) -> None:
    """A well-formed RFC 5646 language tag."""
    if not isinstance(value, str):
        report.wrong_type(value, path, Text("a string with a language tag"))
    elif not is_language_tag(value):
        report.add(
            path,
            Rule.LANGUAGE_TAG,
            Text("{value} is not a language tag such as en-US (RFC 5646).", value=preview(value)),
        )


def check_language_map(value: object, path: str, report: Report) -> None:
    """An object from language tags to strings."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text('a language map such as {"en-US": "text"}'))
        return
    for tag, text in value.items():
        if not isinstance(tag, str) or not is_language_tag(tag):
            place = f"{path}/{pointer_token(str(tag))}"
            report.add(
                place,
                Rule.LANGUAGE_TAG,
                Text("{preview} is not a language tag such as en-US (RFC 5646).", preview=preview(str(tag))),
            )
        if not isinstance(text, str):
            report.wrong_type(text, f"{path}/{pointer_token(str(tag))}", Text("a string"))


def check_extensions(value: object, path: str, report: Report) -> None:
    """An object from absolute IRIs to any JSON, null included."""
    if not isinstance(value, dict):
        report.wrong_type(value, path, Text("an object from IRIs to values"))
        return
    for key, item in value.items():
        if not isinstance(key, str) or not is_iri(key):
            place = f"{path}/{pointer_token(str(key))}"
            message = Text(
                "The key {preview} is not an absolute IRI; extensions are keyed by IRIs.", preview=preview(str(key))
            )
            report.add(place, Rule.IRI, message)
        if isinstance(item, dict | list) and _depth_exceeds(item, MAX_DEPTH):
            place = f"{path}/{pointer_token(str(key))}"
            report.add(
                place,
                Rule.EXTENSION_DEPTH,
                Text("This extension is nested deeper than {max_depth} levels.", max_depth=MAX_DEPTH),
            )


def _depth_exceeds(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return False
        level = below
    return True
