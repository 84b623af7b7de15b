"""What people look for: words, rows of exact words in quotation marks, and what must not be there.

All of it must be in a note. What has a `-` in front of it must not be (`-draft`, `-"exact words"`), but a `-` before a
digit is a minus, and options of programs are words like others: `--all`, and what has one or two letters, `-rf`. The
last word is also found as the beginning of a longer one,
unless white space or a quotation mark follows it. Nobody has to know a syntax: what is pasted is found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from dataforge.contexts.workspaces.notes.domain.search import TITLE, quoted, workspace_key
from dataforge.contexts.workspaces.notes.domain.words import PAIR, Piece, Word, fold, pieces, stream

MAX_SEARCH = 500  # characters
MAX_TERMS = 40  # of a search; what is behind them is not asked for
_PREFIX_LETTERS = 3  # a shorter word is no beginning of a longer one: it would be of most notes
_PREFIX_DIGITS = 6  # nor is a number; of a hash as few characters are
_QUOTES = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb", '"""""')
_TOKEN = re.compile(r'(?P<no>(?<!\S)-)?"(?P<phrase>[^"]*)"|(?P<plain>[^\s"]+)')
_EXCLUDING = re.compile(r"(?<!\S)-(?!-|\.?\d|\w{1,2}(?!\w))(?=.)")


@dataclass(frozen=True, slots=True)
class Choice:
    """Keys that must all be there; with `prefix` the last one only begins one."""

    keys: tuple[str, ...]
    prefix: bool = False

    def tsquery(self, before: str) -> str:
        """As PostgreSQL reads it, with this before each key."""
        return " & ".join(quoted(before + key) for key in self.keys) + (":*" if self.prefix else "")


@dataclass(frozen=True, slots=True)
class Term:
    """Something that must be in a note, in one way or another."""

    choices: tuple[Choice, ...]

    def tsquery(self, before: str) -> str:
        """As PostgreSQL reads it, with this before each key."""
        return " | ".join(f"({choice.tsquery(before)})" for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What somebody looks for; `words` are shown where they stand, the last one as a beginning with `prefix`."""

    terms: tuple[Term, ...] = ()
    excluded: tuple[Term, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded_phrases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    prefix: bool = False

    def tsquery(self, workspace_id: UUID, *, title: bool = False) -> str:
        """What the index is asked, of all that is found of a note or of its title and path alone."""
        owner = workspace_key(workspace_id)
        wanted = [f"({term.tsquery(owner + TITLE if title else owner)})" for term in self.terms]
        return " & ".join([*wanted, *(f"!({term.tsquery(owner)})" for term in self.excluded)])

    def ranking(self, workspace_id: UUID) -> str:
        """What the closeness of the words is measured by."""
        owner, last = workspace_key(workspace_id), len(self.words) - 1
        return " & ".join(
            quoted(owner + word) + (":*" if self.prefix and place == last else "")
            for place, word in enumerate(self.words)
        )


def lookup(text: str) -> Lookup:
    """Read what somebody typed or pasted; one without terms finds nothing."""
    text = text[:MAX_SEARCH].translate(_QUOTES)
    terms: list[Term] = []
    excluded: list[Term] = []
    phrases: list[str] = []
    excluded_phrases: list[str] = []
    words: dict[str, None] = {}
    prefix = False
    for token in _TOKEN.finditer(text):
        prefix = False
        if token["phrase"] is not None:
            found = [piece for _, piece in pieces(token["phrase"])]
            checked = [stream(found)] if sum(len(piece.runs) for piece in found) > 1 else []
            if token["no"] and checked:
                excluded_phrases += checked
            elif token["no"]:
                excluded += map(_term, found)
            else:
                phrases += checked
                terms += map(_term, found)
                words.update(dict.fromkeys(word for piece in found for word in _shown(piece)))
            continue
        begin = _EXCLUDING.match(text, token.start())
        if begin is not None:
            excluded += (_term(piece) for _, piece in pieces(token["plain"][1:]))
            continue
        found = [piece for _, piece in pieces(token["plain"])]
        prefix = bool(found) and token.end() == len(text) and _is_beginning(found[-1], text)
        terms += [_term(piece, prefix=prefix and piece is found[-1]) for piece in found]
        shown = [word for piece in found for word in _shown(piece)]
        for word in shown:
            words.pop(word, None)  # the last one stays the last
            words[word] = None
    return Lookup(
        tuple(terms[:MAX_TERMS]),
        tuple(excluded[:MAX_TERMS]),
        tuple(phrases),
        tuple(excluded_phrases),
        tuple(words)[:MAX_TERMS],
        prefix and max(len(terms), len(words)) <= MAX_TERMS and not [*words][-1].isdigit(),
    )


def _is_beginning(piece: Piece, text: str) -> bool:
    run = piece.runs[-1]
    return text[-1].isalnum() and not run.unspaced and len(run.words[-1].text) >= _PREFIX_LETTERS


def _term(piece: Piece, *, prefix: bool = False) -> Term:
    row = _row(piece)
    signs = [*piece.numbers, *(run.suffixed for run in piece.runs if run.suffixed is not None)]
    if piece.leads and piece.runs[0].leading is not None:
        signs.append(piece.runs[0].leading)
    for run in piece.runs:
        if run.unspaced:
            signs += [word.text for word in run.words[:-1]]
    pairs = [row[place] + PAIR + row[place + 1] for place in range(len(row) - 1)]
    lonely = [run.text for run in piece.runs if run.unspaced and len(run.words) == 1]
    if lonely:
        # A single character is the beginning of the word that it makes with the one after it.
        return Term((Choice((*signs, *(pairs or row), lonely[-1]), prefix=True),))
    if signs and len(row) == 1:
        row = []  # where a word is with its sign, it is without
    choices = [Choice((*signs, *(pairs or row)), prefix and not piece.runs[-1].words[-1].text.isdigit())]
    if len(row) > 1 and piece.is_one_word:
        joined = "".join(run.text for run in piece.runs)
        choices.append(Choice((*signs, joined), prefix and (not row[-1].isdigit() or len(joined) >= _PREFIX_DIGITS)))
    if len(piece.runs) == 1 and len(row) == 1 and piece.runs[0].umlauts is not None:
        choices.append(Choice((*signs, piece.runs[0].umlauts), prefix))
    return Term(tuple(choices))


def _row(piece: Piece) -> list[str]:
    """The words that a piece is looked for by: an address without its scheme and `www`, a version without its `v`."""
    row = [word.text for run in piece.runs if not run.unspaced for word in run.words]
    if piece.address and len(row) > 1:
        row = row[1:]
    if len(row) > 2 and row[0] == "www":
        row = row[1:]
    version = len(row) > 2 and row[0] == "v" and row[1].isdigit() and len(piece.runs[0].words) == 2
    return row[1:] if version else row


def _shown(piece: Piece) -> Iterator[str]:
    for run in piece.runs:
        several = len(run.words) > 1 and run.unspaced
        yield from (word.text for word in (run.words[:-1] if several else run.words))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some of a text, and where in it the words are that were looked for: begin and end, in characters."""

    text: str
    highlights: tuple[tuple[int, int], ...]


_LINES_TRIED = 8
_LINE = re.compile(r"\S[^\n]{0,220}(?!\S)|\S[^\n]{0,220}")


def excerpt(text: str, wanted: Lookup) -> Excerpt:
    """The line of a text, or the part of a long one, in which most of the words are; its beginning without any."""
    lines = [line[0] for line in _LINE.finditer(text)]
    if not wanted.words or not lines:
        return Excerpt(lines[0] if lines else "", ())
    whole, best, most, tried = _whole_words(wanted), "", 0, 0
    for line in lines:
        kinds = len(set(whole.findall(fold(line))))
        if kinds > most:
            best, most = line, kinds
        tried += kinds > 0
        if tried == _LINES_TRIED or most >= len(wanted.words):
            break
    inside = (line for line in lines if any(word in fold(line) for word in wanted.words))
    return highlighted(best or next(inside, lines[0]), wanted)


def _whole_words(wanted: Lookup) -> re.Pattern[str]:
    *words, last = map(re.escape, wanted.words)
    parts = [rf"{word}(?![^\W_])" for word in words] + [last if wanted.prefix else rf"{last}(?![^\W_])"]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(parts)})")


def highlighted(text: str, wanted: Lookup) -> Excerpt:
    """A short text with the places of the words in it."""
    return Excerpt(text, tuple(_places(text, wanted)))


def _places(text: str, wanted: Lookup) -> list[tuple[int, int]]:
    words, places = set(wanted.words), list[tuple[int, int]]()
    beginning = wanted.words[-1] if wanted.prefix else None
    for start, piece in pieces(text):
        for word in _found(piece, words, beginning):
            begin, end = start + word.start, start + word.end
            if places and begin <= places[-1][1]:
                places[-1] = places[-1][0], max(end, places[-1][1])
            else:
                places.append((begin, end))
    return places


def _found(piece: Piece, words: set[str], beginning: str | None) -> Iterator[Word]:
    for run in piece.runs:
        whole = run.text in words or run.umlauts in words
        for word in run.words:
            hit = whole or word.text in words or (beginning is not None and word.text.startswith(beginning))
            if hit or (run.unspaced and word.text[:1] in words):
                yield word
