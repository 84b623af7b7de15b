"""The words that a text is found by: one reading for notes and for what people look for.

A text is cut into pieces at white space and at signs that no address, version or path holds. A piece is cut into runs
of letters and digits, and a run into words at the humps of camel case and between letters and numbers: in
`https://example.com/getUser2` there are https, example, com, get, user, 2. What makes a piece more than its words has
keys:

- each word with the one after it in the piece (`example·com`): a piece is found by any row of its words, so an address
  without its scheme, a version by its beginning, a path by its end, and `1.2.3` not by a text with a 1, a 2 and a 3;
- what is written as one word or as several (`wi-fi`, `don't`, `getUser`, `get_user`): the joined word;
- signs that carry meaning: `c++`, `c#`, `-5`, `-0.5`, `.net`, `#tag`, `@user`, `--verbose`.

Case, accents and Unicode's compatibility forms are folded, and `ü` is found as `ue`, too. In scripts without spaces
each character with the one after it is a word. There is no stemming (ADR 47).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

MAX_WORD, MAX_PIECE = 64, 1_000  # characters; what is longer is found by its beginning
PAIR = "·"
_LONGEST_JOINED = 40

# Thai to Myanmar, Khmer, Hangul, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u3099\u309a\u309d-\u30fa\u30fc-\u318f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003fffd"
)
# Marks inside words that Unicode does not count as letters: accents, Hebrew and Arabic points, vowel signs of India.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f"
    "\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a03\u0a3c-\u0a4d\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03"
    "\u0b3c-\u0b57\u0b82\u0bbe-\u0bcd\u0c00-\u0c04\u0c3c-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d"
    "\u0f18-\u0f3f\u0f71-\u0f84\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
_PICTURES = "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_BREAKS = (
    r"\s\[\](){}<>\"|`*;!\u00ab\u00bb\u201c\u201d\u201e\u2014\u2026\u3001\u3002\u3008-\u3011\u300c-\u300f\uff01\uff08\uff09"
    r"\uff0c\uff1b\uff1f"
)
_PIECE = re.compile(rf"(?:[^{_BREAKS},]|(?<=\d),(?=\d))+")
_RUN = re.compile(rf"([{_UNSPACED}]+)|([{_PICTURES}])|((?:(?![{_UNSPACED}])(?:[^\W_]|[{_MARKS}]))+)")
_HUMP = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
_LETTERS_DIGITS = re.compile(r"\d+|[^\W\d_]+")
_MOST_GROUPS = 3  # of letters and digits in turn; what has more is a hash or the like
_JOINERS = frozenset("-_'\u2019\u2010\u2011\u00ad\u200b\u200c\u200d\u2060")
# A minus belongs to the number after it where no word is before it: not in 3-5, 2024-01-05 or a-1.
_SIGNED = re.compile(r"(?<![\w)\-\u2212\u2013])[-\u2212\u2013](\d+(?:[.,]\d+)*|\.\d+)")
_SUFFIXED = re.compile(r"\+\+(?![^\W\d_])|#(?![^\W_])")
_EXTENSION = re.compile(r"[^\W\d_][^\W_]{0,9}")
_ENDINGS = ".,:?'\u2019"
_UMLAUTS = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue"})
_PLAIN = str.maketrans(
    {"\u00f8": "o", "\u00e6": "ae", "\u0153": "oe", "\u0111": "d", "\u0142": "l", "\u0131": "i", "\u00fe": "th"}
)


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word, and where it stands in its piece."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Run:
    """Letters and digits in a row: the words in them, and what else they are found by."""

    text: str
    words: tuple[Word, ...]
    unspaced: bool = False
    """Of a script without spaces: its words are characters with the one after them, the last one alone."""
    glued: bool = False
    """Nothing but a hyphen or the like is between it and the run before."""
    suffixed: str | None = None
    """With the signs behind it: `c++`, `c#`."""
    leading: str | None = None
    """With the sign before it: `.net`, `#tag`, `@user`, `--verbose`."""
    umlauts: str | None = None
    """With umlauts written as two letters."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands between white space and brackets."""

    runs: tuple[Run, ...]
    numbers: tuple[str, ...]
    """Negative numbers in it, such as `-0.5`."""
    leads: bool
    """Whether it begins with the sign of its first run."""
    address: bool = False
    """Whether it begins with a scheme: `https://`."""

    @property
    def words(self) -> Iterator[Word]:
        """All of its words in order."""
        return (word for run in self.runs for word in run.words)

    @property
    def pairs(self) -> list[str]:
        """Each word with the one after it, scripts without spaces left out."""
        row = [word.text for run in self.runs if not run.unspaced for word in run.words]
        return [row[place] + PAIR + row[place + 1] for place in range(len(row) - 1)]

    @property
    def joined(self) -> list[str]:
        """What is written as several words and could be one."""
        several = [run.text for run in self.runs if len(run.words) > 1 and not run.unspaced]
        groups: list[list[Run]] = []
        for run in self.runs:
            if run.glued and not run.unspaced and not groups[-1][-1].unspaced:
                groups[-1].append(run)
            else:
                groups.append([run])
        texts = ["".join(run.text for run in group) for group in groups if len(group) > 1]
        return several + [text for text in texts if len(text) <= _LONGEST_JOINED]

    @property
    def is_one_word(self) -> bool:
        """Whether all of it could be written as one word."""
        return all(run.glued for run in self.runs[1:]) and not any(run.unspaced for run in self.runs)


def fold(text: str) -> str:
    """The text without capitals, accents and Unicode's compatibility forms."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(sign for sign in folded if not "\u0300" <= sign <= "\u036f")
    return unicodedata.normalize("NFC", plain).translate(_PLAIN)


def pieces(text: str) -> Iterator[tuple[int, Piece]]:
    """The pieces of a text that hold words, each with the place where it begins."""
    for match in _PIECE.finditer(text):
        piece = _piece(match[0][:MAX_PIECE].rstrip(_ENDINGS))
        if piece is not None:
            yield match.start(), piece


@lru_cache(maxsize=16_384)  # texts repeat their words
def _piece(text: str) -> Piece | None:
    runs: list[Run] = []
    end = 0
    for match in _RUN.finditer(text):
        gap = text[end : match.start()]
        glued = bool(runs) and len(gap) == 1 and gap in _JOINERS
        runs.append(_run(match, text, gap, glued=glued))
        end = match.end()
    if not runs:
        return None
    numbers = tuple("-" + number for number in _SIGNED.findall(text))
    leads = runs[0].leading is not None and runs[0].words[0].start <= len("--")
    return Piece(tuple(runs), numbers, leads, "://" in text[: len("https://")])


def _run(match: re.Match[str], text: str, gap: str, *, glued: bool) -> Run:
    start, written = match.start(), match[0]
    if match[1]:
        return _unspaced(written, start)
    folded = fold(written)
    suffixed = leading = None
    behind = text[match.end() : match.end() + 3]
    if behind and behind[0] in "+#" and written.isalpha():
        signs = _SUFFIXED.match(behind)
        suffixed = None if signs is None else folded + signs[0]
    if gap:
        if gap[-1] in "#@":
            leading = gap[-1] + folded[:MAX_WORD]
        elif (
            gap[-1] == "."
            and _EXTENSION.fullmatch(written)
            and (gap == text[: match.start()] or match.end() == len(text))
        ):
            leading = "." + folded
        elif gap == "--" and match.start() == len(gap) and not written[0].isdigit():
            leading = "--" + folded[:MAX_WORD]
    composed = "" if written.isascii() else unicodedata.normalize("NFKC", written).casefold()
    twofold = composed.translate(_UMLAUTS)
    umlauts = fold(twofold)[:MAX_WORD] if twofold != composed else None
    return Run(
        folded[:MAX_WORD],
        _words(written, folded, start),
        glued=glued,
        suffixed=suffixed,
        leading=leading,
        umlauts=umlauts,
    )


def _words(written: str, folded: str, start: int) -> tuple[Word, ...]:
    if len(written) > _LONGEST_JOINED:
        return (Word(folded[:MAX_WORD], start, start + len(written)),)
    cuts = {0}
    if not (written.islower() or written.isupper()):
        cuts.update(match.start() for match in _HUMP.finditer(written))
    groups = [match.start() for match in _LETTERS_DIGITS.finditer(written)]
    if len(groups) <= _MOST_GROUPS:
        cuts.update(groups)
    if len(cuts) == 1:
        return (Word(folded, start, start + len(written)),)
    bounds = [*sorted(cuts), len(written)]
    return tuple(Word(fold(written[begin:end]), start + begin, start + end) for begin, end in pairwise(bounds))


def _unspaced(written: str, start: int) -> Run:
    folded = fold(written)
    words = tuple(
        Word(folded[place : place + 2], start + min(place, len(written) - 1), start + min(place + 2, len(written)))
        for place in range(len(folded))
    )
    return Run(folded, words, unspaced=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a piece is found by: its words in order, other keys, and its part of the stream of exact words."""

    words: tuple[str, ...]
    keys: tuple[str, ...]
    stream: str


def readings(text: str) -> Iterator[Reading]:
    """What the pieces of a text are found by, in order."""
    for match in _PIECE.finditer(text):
        reading = _reading(match[0][:MAX_PIECE].rstrip(_ENDINGS))
        if reading is not None:
            yield reading


@lru_cache(maxsize=32_768)
def _reading(text: str) -> Reading | None:
    if text.isascii() and text.isalpha() and text.islower() and len(text) <= MAX_WORD:
        return Reading((text,), (), text)
    piece = _piece(text)
    if piece is None:
        return None
    further = (key for run in piece.runs for key in (run.suffixed, run.leading, run.umlauts) if key is not None)
    keys = dict.fromkeys((*piece.pairs, *piece.joined, *piece.numbers, *further))
    return Reading(tuple(word.text for word in piece.words), tuple(keys), stream([piece]).strip())


def stream(found: Iterable[Piece]) -> str:
    """The runs in order with a space around each, in which a row of exact words is looked for."""
    runs = (run for piece in found for run in piece.runs)
    return f" {' '.join(' '.join(run.text) if run.unspaced else run.suffixed or run.text for run in runs)} "
