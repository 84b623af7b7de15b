"""Timestamps and durations as statements write them: ISO 8601 text to instants and milliseconds, and back.

Both are kept as text in the statement; only comparison and the flat row need their values.
"""

import re
from datetime import UTC, datetime

# ISO 8601-1 §5.4.2: both halves in extended form or both in basic form, with seconds or without.
_EXTENDED = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?\Z",
)
_BASIC = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})[Tt]([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?\Z",
)
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z",
)
_UNKNOWN_OFFSETS = frozenset({"-00", "-0000", "-00:00"})  # RFC 3339 §4.3: "offset unknown", refused by xAPI
_DURATION = re.compile(
    r"P(?:(?P<W>[0-9]+(?:[.,][0-9]+)?)W"
    r"|(?=[0-9T])(?:(?P<Y>[0-9]+(?:[.,][0-9]+)?)Y)?(?:(?P<M>[0-9]+(?:[.,][0-9]+)?)M)?(?:(?P<D>[0-9]+(?:[.,][0-9]+)?)D)?"
    r"(?:T(?=[0-9])(?:(?P<h>[0-9]+(?:[.,][0-9]+)?)H)?(?:(?P<m>[0-9]+(?:[.,][0-9]+)?)M)?"
    r"(?:(?P<s>[0-9]+(?:[.,][0-9]+)?)S)?)?)\Z",
)
# Years and months have no fixed length without a start date; a statement has none, so the usual averages stand in.
_UNIT_MS = {
    "Y": 365 * 86_400_000,
    "M": 30 * 86_400_000,
    "W": 7 * 86_400_000,
    "D": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
}
_MAX_BIGINT = 2**63 - 1
_MAX_DURATION_LENGTH = 200


def _instant(text: str) -> tuple[datetime, str] | None:
    """The whole second in UTC, and the digits after it without trailing zeros."""
    match = _EXTENDED.match(text) or _BASIC.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if offset in _UNKNOWN_OFFSETS:
        return None
    second, fraction = second or "00", (fraction or "").rstrip("0")
    if second == "60":  # a leap second is the last instant of its minute: no calendar here has a 61st second
        second, fraction = "59", "999999"
    zone = "+00:00" if offset is None or offset in "Zz" else offset
    text = f"{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC), fraction
    except (ValueError, OverflowError):  # no such day, or before year 1 or after 9999 once in UTC
        return None


def parse_timestamp(text: str) -> datetime | None:
    """The instant in UTC, cut (not rounded) to microseconds; None when the text is not a valid timestamp.

    Date and time are ISO 8601 in extended or basic form; missing seconds are 0, a missing offset is read as UTC.
    Offsets of -00, -0000 and -00:00 are refused (RFC 3339 §4.3, Data 4.5).
    """
    found = _instant(text)
    if found is None:
        return None
    at, fraction = found
    return at.replace(microsecond=int(fraction[:6].ljust(6, "0"))) if fraction else at


def is_rfc_3339(text: str) -> bool:
    """Whether a valid timestamp is one of RFC 3339 §5.6, too: with seconds, a point and an offset such as +01:00."""
    return _RFC_3339.match(text) is not None


def canonical_timestamp(text: str) -> str:
    """The same instant in UTC with every digit that counts, for comparison; other text stays as it is."""
    found = _instant(text)
    if found is None:
        return text
    at, fraction = found
    return f"{at.isoformat()[:19]}{'.' if fraction else ''}{fraction}Z"


def in_utc(text: str) -> str:
    """A valid timestamp in UTC as RFC 3339 writes it, with all its digits; one that is so already stays as it is."""
    return text if text.endswith("Z") and is_rfc_3339(text) else canonical_timestamp(text)


def format_timestamp(at: datetime) -> str:
    """An instant as statements carry it: UTC, six decimals, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _duration_parts(text: str) -> dict[str, str] | None:
    if len(text) > _MAX_DURATION_LENGTH:
        return None
    match = _DURATION.match(text)
    if match is None:
        return None
    parts = {unit: digits for unit, digits in match.groupdict().items() if digits is not None}
    # ISO 8601-1 §5.5.2.3: only the smallest unit may have a fraction.
    if any(not digits.isdigit() for digits in list(parts.values())[:-1]):
        return None
    return parts


def is_duration(text: str) -> bool:
    """Whether this is an ISO 8601 duration with designators (`P1DT4H35M59.14S`, `P4W`), 200 characters at most."""
    return _duration_parts(text) is not None


def duration_ms(text: str) -> int | None:
    """Milliseconds of a duration, truncated; None when it is not one or does not fit a bigint.

    A year counts 365 days and a month 30: without a start date nothing better is known.
    """
    parts = _duration_parts(text)
    if parts is None:
        return None
    total = 0
    for unit, digits in parts.items():
        whole, _, fraction = digits.replace(",", ".").partition(".")
        total += int(whole) * _UNIT_MS[unit]
        if fraction:
            total += int(fraction) * _UNIT_MS[unit] // 10 ** len(fraction)
    return total if total <= _MAX_BIGINT else None


def canonical_duration(text: str) -> str:
    """A duration for comparison: seconds cut (never rounded) to 0.01 s (Data 4.6); other text stays as it is."""
    parts = _duration_parts(text)
    if parts is None or "s" not in parts:
        return text
    head = text[: -len(parts["s"]) - 1]
    whole, _, fraction = parts["s"].replace(",", ".").partition(".")
    fraction = fraction[:2].rstrip("0")
    return f"{head}{whole}{'.' if fraction else ''}{fraction}S"
