"""Mail addresses, telephone, card and account numbers of a text, replaced by what they are.

What identifies people goes; what instructions need stays: versions, addresses of machines, ports, dates, times, error
codes and the numbers of orders, articles and tickets. Where a number may be either, the words before it decide.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from dataforge.contexts.tutorials.drafts.domain import Draft, DroppedStep
from dataforge.contexts.tutorials.transcripts.domain import Segment

# Part of the version of every engine: what is masked changes what a draft says.
MASKING_VERSION = "2"
MAIL, PHONE, CARD, ACCOUNT = "[e-mail]", "[phone]", "[card]", "[account]"
# How far back the words are looked for that say what a number is.
CONTEXT_CHARACTERS = 48
# Into how many groups a number is written at most; bounds the work on texts that are nothing but digits.
MOST_GROUPS = 12

_MAIL = re.compile(
    r"(?<![\w.+%@/-])[\w.+%'-]{1,64} ?(?:@|[(\[](?:at|ät)[)\]]) ?(?:[\w-]{1,63}(?:\.| ?[(\[](?:dot|punkt)[)\]] ?)){1,8}"
    r"[^\W\d_]{2,24}(?![\w@]|:[\w~/]|-\w)",
    re.IGNORECASE,
)
# "ada dot lovelace at example dot org", as recognisers write what they hear; "at" alone is an ordinary word.
_DOT = r" (?:dot|point|punkt) "
_JOINED = r" (?:dot|punkt|underscore|unterstrich|dash|minus|bindestrich|hyphen) "
_LABEL = r"[\w+-]{1,40}"
_SPOKEN_MAIL = re.compile(
    rf"(?<![\w.])(?P<local>{_LABEL}(?:{_JOINED}{_LABEL}){{0,5}}),? (?P<at>at|ät|et|klammeraffe|\(at\)|\[at\]|@) "
    rf"{_LABEL}(?:{_DOT}{_LABEL}){{0,5}}(?:{_DOT}|\.)[^\W\d_]{{2,24}}(?![\w@])",
    re.IGNORECASE,
)
# How recognisers and editors of texts write a digit, a space, a hyphen and an "@" as well; each is one character.
_PLAIN = {
    **{0xFF10 + digit: str(digit) for digit in range(10)},
    **dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u3000"), " "),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2212\uff0d"), "-"),
    **dict(zip(map(ord, "\uff20\uff0e\uff0b\uff08\uff09"), "@.+()", strict=True)),
}
# What stands before an "at" that means a place: "look at certs dot example dot org".
_BEFORE_PLACE = re.compile(
    r"look\w*|see|is|are|was|be|been|it|it's|its|them|this|that|in|on|up|over|page|site|portal|f[io]und|find|available|"
    r"reachable|located|hosted|lives?|served|running|runs|me|us|you|him|her|one|sits|listen\w*|downloads?|documented|"
    r"described|log|sign|login|website|server|service|start|arrives?|click|point\w*|address|files?|app|stuff|works?|now",
    re.IGNORECASE,
)

_IBAN = re.compile(r"(?<![\w-])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,9}(?![\w])", re.IGNORECASE)
# How long a country's are (registry of ISO 13616): by the check digits alone, a word after one may pass as part of it.
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI NL",
        19: "SI",
        20: "AT EE LT LU",
        21: "CH HR LI LV",
        22: "BG DE GB IE",
        24: "CZ ES RO SE SK",
        25: "PT",
        26: "IS TR",
        27: "FR GR IT",
        28: "HU PL",
        29: "UA",
    }.items()
    for country in countries.split()
}
# Digits in groups; where one number ends and the next begins is tried out.
_DIGITS = re.compile(
    r"(?<![\w.,:/#@=-])(?:\+ ?)?\(?\d(?:(?:[ ()/.–-]|\) ?|(?: [–-] )){0,3}\d){5,40}(?![\w@]|[.:,/-]\d)"
)
_WORDS = {
    "zero": "0", "oh": "0", "null": "0", "one": "1", "eins": "1", "two": "2", "zwei": "2", "zwo": "2", "three": "3",
    "drei": "3", "four": "4", "vier": "4", "five": "5", "fünf": "5", "six": "6", "sechs": "6", "seven": "7",
    "sieben": "7", "eight": "8", "acht": "8", "nine": "9", "neun": "9", "plus": "+",
}  # fmt: skip
_SPOKEN_DIGITS = re.compile(
    r"(?<![\w-])(?:{words})(?:(?:,? |, ?|-)(?:{words})){{6,30}}(?![\w-])".format(words="|".join(_WORDS)), re.IGNORECASE
)
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-] ?\d{1,2}[./-] ?(?:19|20)?\d{2}|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2})(?!\d)"
)
# Visa; Mastercard; American Express; JCB; Diners; Discover, UnionPay and Maestro: an IMEI has other lengths.
_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|35\d{14}|3[0689]\d{12,17}|(?:6\d|50|5[6-8])\d{11,17}"
)
_SORT_CODE = re.compile(r"\d\d-\d\d-\d\d")
_NETWORK = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_FRACTION = re.compile(r"0\.\d+")
_NORTH_AMERICAN = re.compile(r"(?:\+?1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}")

_SAYS_PHONE = re.compile(
    r"\b(?:tele(?:ph|f)on\w*|phone|mobile|cell|fax|handy\w*|mobil\w*|rufnummer|durchwahl|rückruf\w*|hotline|landline|"
    r"(?:call|ring|reach|dial|text)(?: \w+)? (?:me|us|him|her|them|back)|erreich\w*|anrufen|ruf\w* .{0,20} an|tel)\b",
    re.IGNORECASE,
)
_SAYS_ACCOUNT = re.compile(
    r"\b(?:account (?:number|no)|bank account|sort code|routing number|iban|konto|kontonummer|bankkonto|bankleitzahl|"
    r"blz)\b",
    re.IGNORECASE,
)
_SAYS_CARD = re.compile(
    r"\b(?:(?:credit|debit|bank) ?card|card (?:number|no)|visa|mastercard|kreditkarte\w*|kartennummer|bankkarte)\b",
    re.IGNORECASE,
)
_SAYS_THING = re.compile(
    r"\b(?:(?:customer|client|staff|employee|case) (?:number|no|id)|order|invoice|ticket|serial|part|article|item|"
    r"version|build|release|error|code|id|port|reference|ref|sku|model|batch|tracking|parcel|hash|commit|"
    r"(?:bestell|auftrags|rechnungs|kunden|artikel|serien|personal|ticket|vorgangs|fehler|liefer|teile|sendungs|chargen|"
    r"modell|referenz|material|inventar|matrikel)(?:nummer|nr|code|schein)|auftrag|rechnung|bestellung|vorgang|charge)\b",
    re.IGNORECASE,
)

# Whose national numbers are known as such, in the order in which they are tried.
_REGIONS = ("DE", "GB", "AT", "CH", "FR", "ES")


@dataclass(frozen=True, slots=True)
class Finding:
    """A place of a text and what stands there."""

    start: int
    end: int
    kind: str


def mask(text: str) -> str:
    """The text with each finding replaced by what it is, such as `[phone]`; masking again changes nothing."""
    pieces: list[str] = []
    end = 0
    for finding in findings(text):
        pieces += (text[end : finding.start], finding.kind)
        end = finding.end
    return "".join([*pieces, text[end:]])


def mask_segments(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments masked, with what one speaker says read on from segment to segment.

    A number that captions break in two is named where it begins; a segment that has only the rest of one says "…".
    """
    masked: list[Segment] = []
    for _, group in groupby(segments, key=lambda segment: segment.speaker):
        run = list(group)
        text = " ".join(segment.text for segment in run)
        spans = findings(text)
        offset = 0
        for segment in run:
            masked.append(replace(segment, text=_within(segment.text, offset, spans)))
            offset += len(segment.text) + 1
    return tuple(masked)


def _within(text: str, offset: int, spans: Sequence[Finding]) -> str:
    pieces: list[str] = []
    end = 0
    for span in spans:
        start, stop = max(0, span.start - offset), min(len(text), span.end - offset)
        if stop <= 0 or start >= len(text):
            continue
        pieces += (text[end:start], span.kind if span.start >= offset else "")
        end = stop
    return "".join([*pieces, text[end:]]).strip() or "…"


def mask_draft(draft: Draft) -> Draft:
    """The draft with all its texts masked."""
    return replace(
        draft,
        title=mask(draft.title),
        summary=mask(draft.summary),
        prerequisites=tuple(mask(text) for text in draft.prerequisites),
        glossary=tuple(
            replace(entry, term=mask(entry.term), explanation=mask(entry.explanation)) for entry in draft.glossary
        ),
        sections=tuple(replace(section, title=mask(section.title)) for section in draft.sections),
        steps=tuple(replace(step, text=mask(step.text)) for step in draft.steps),
        # Conferences call people who dial in by their numbers.
        expert=None if draft.expert is None else mask(draft.expert),
        dropped=tuple(DroppedStep(mask(dropped.text), mask(dropped.reason)) for dropped in draft.dropped),
    )


def findings(text: str) -> list[Finding]:
    """What is masked, in order and without overlaps; the surer kind has a place when two would have it."""
    text = text.translate(_PLAIN)
    kept: list[Finding] = []
    for finding in (*_mails(text), *_ibans(text), *_numbers(text)):
        if all(finding.end <= each.start or finding.start >= each.end for each in kept):
            kept.append(finding)
    return sorted(kept, key=lambda finding: finding.start)


def _mails(text: str) -> Iterator[Finding]:
    for match in _MAIL.finditer(text):
        if not _is_remote(text, match):
            yield Finding(match.start(), match.end(), MAIL)
    for match in _SPOKEN_MAIL.finditer(text):
        local, sure = match["local"], match["at"].lower() not in ("at", "et")
        # A local part with dots is no ordinary word before an ordinary "at".
        if sure or " " in local or not _BEFORE_PLACE.fullmatch(local):
            yield Finding(match.start(), match.end(), MAIL)


def _is_remote(text: str, match: re.Match[str]) -> bool:
    """Whether it is a login on a machine, as in `ssh git@host`, which an instruction needs."""
    before = text[max(0, match.start() - 12) : match.start()]
    return match[0].startswith("git@") or re.search(r"(?:\bssh|\bscp|\bsftp|ssh://)\s?$", before) is not None


def _ibans(text: str) -> Iterator[Finding]:
    for match in _IBAN.finditer(text):
        end = match.end()
        # The expression may have taken words after the number with it.
        while end - match.start() >= 15:
            if _is_iban(text[match.start() : end]):
                yield Finding(match.start(), end, ACCOUNT)
                break
            end = max(text.rfind(mark, match.start(), end) for mark in " -")


def _is_iban(written: str) -> bool:
    """Whether the check digits are right (ISO 13616: ISO 7064 MOD 97-10, over 15 to 34 characters)."""
    number = re.sub(r"[ -]", "", written).upper()
    if not 15 <= len(number) <= 34 or len(number) != _IBAN_LENGTHS.get(number[:2], len(number)):
        return False
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def _is_card(digits: str) -> bool:
    """Whether the length, the issuer's range and the check digit are those of a payment card (ISO/IEC 7812: Luhn)."""
    if _CARD.fullmatch(digits) is None:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _numbers(text: str) -> Iterator[Finding]:
    for match in _DIGITS.finditer(text):
        yield from _parts(text, match.start(), match.end())
    for match in _SPOKEN_DIGITS.finditer(text):
        spoken = re.findall(r"\w+", match[0].lower())
        kind = _kind("".join(_WORDS[word] for word in spoken), _said(text, match.start()), spoken=True)
        if kind is not None:
            yield Finding(match.start(), match.end(), kind)


def _parts(text: str, start: int, end: int) -> Iterator[Finding]:
    """The numbers within groups of digits, the longest first at each place."""
    groups = [(found.start() + start, found.end() + start) for found in re.finditer(r"\S+", text[start:end])]
    at = 0
    while at < len(groups):
        first = groups[at][0]
        said = _said(text, first)
        for to in range(min(len(groups), at + MOST_GROUPS), at, -1):
            last = groups[to - 1][1]
            kind = _kind(text[first:last], said, spoken=False)
            if kind is not None:
                yield Finding(first, last, kind)
                at = to
                break
        else:
            at += 1


def _kind(written: str, said: str | None, *, spoken: bool) -> str | None:
    """What a number is by its form, its check digits and what words say that it is; None when it stays."""
    digits = re.sub(r"\D", "", written)
    dated = _DATE.search(written) is not None and not (said == ACCOUNT and _SORT_CODE.fullmatch(written))
    if len(digits) < 6 or dated or _NETWORK.fullmatch(written) or (_FRACTION.fullmatch(written) and said is None):
        return None
    if said == ACCOUNT and len(digits) <= 34:
        return ACCOUNT
    if _is_card(digits) or (said == CARD and 12 <= len(digits) <= 19):
        return CARD
    if len(digits) > 15:
        return None
    if said == PHONE or ((said is None or "+" in written) and _is_phone(written, digits, spoken=spoken)):
        return PHONE
    return None


def _said(text: str, place: int) -> str | None:
    """What the nearest words say that a number is: a kind, "" for something else than a person's, None for nothing."""
    before = text[max(0, place - CONTEXT_CHARACTERS) : place]
    # Words of the sentence before, unless it is this number that they announce.
    near = re.split(r"[.!?] (?=\S+ )", before)[-1]
    ways = ((_SAYS_PHONE, PHONE), (_SAYS_ACCOUNT, ACCOUNT), (_SAYS_CARD, CARD), (_SAYS_THING, ""))
    last, kind = -1, None
    for expression, meaning in ways:
        for match in expression.finditer(near):
            if match.end() > last:
                last, kind = match.end(), meaning
    return kind


def _is_phone(written: str, digits: str, *, spoken: bool) -> bool:
    """Whether it is a telephone number of a form that other numbers seldom have, and one that can be dialled."""
    import phonenumbers

    international = written.startswith("+") or (digits.startswith("00") and len(digits) >= 11)
    grouped = spoken or re.search(r"[^\d+]", written) is not None
    if international:
        regions: Sequence[str] = ("DE",)
    elif _NORTH_AMERICAN.fullmatch(written):
        regions = ("US",)
    elif digits.startswith("0") and (len(digits) >= 10 or (grouped and len(digits) >= 8)):
        regions = _REGIONS
    else:
        return False
    dialled = f"+{digits}" if written.startswith("+") else digits
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(dialled, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    # A number with its country's code is one even when the plan that we have does not know its area.
    return written.startswith("+") and 8 <= len(digits) <= 15 and grouped
