"""Sentences of a transcript: captions cut them, and automatic ones have no punctuation at all."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dataforge.contexts.tutorials.drafts.extraction.languages import Language
from dataforge.contexts.tutorials.transcripts.domain import Segment

# A run of one speaker ends at a longer pause than this, and is looked at in parts of this size.
_PAUSE_MS = 4_000
_RUN_CHARACTERS = 20_000
# With fewer than one full stop in so many words, a transcript counts as one without punctuation.
_WORDS_PER_STOP = 50
_LONG_PAUSE_MS = 700
_SHORTEST = 4
_LONGEST_WORDS = 28
_HARD_LIMIT_WORDS = 60

_STOP = re.compile(r"(?<=[^\s.!?…])[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+")
_ENDED = re.compile(r"[.!?…。！？:][\"'”’»)\]]*$")
_MARK = re.compile(r"[.!?…](?=\s|$)|[。！？]")
_WORD = re.compile(r"\S+")
# Names of files and addresses begin sentences in lower case and stay as they are.
VERBATIM = re.compile(r"\S*[^\W_][./_@\\:]\S*\w|\S*\d\S*|[a-z]+[A-Z]\S*")
_STUTTER = re.compile(
    r"\b(?!(?:that|had|very|really|die|der|das|sie|sehr|bye|ganz|no|yes|ja|nein)\b)([^\W\d_]{1,12}),? \1\b(?![-'’])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it is read, and the segments (both included) that it was said in."""

    text: str
    segment_from: int
    segment_to: int
    speaker: str | None
    borders: tuple[int, ...] = ()
    """At which character of the text each segment after the first begins."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What one speaker says without being interrupted, and at which character each segment begins."""

    text: str
    starts: tuple[int, ...]
    segments: tuple[int, ...]
    speaker: str | None


def sentences_of(segments: Sequence[Segment], language: Language) -> list[Sentence]:
    """All sentences in the order in which they begin."""
    punctuated = has_punctuation(segments)
    sentences = [
        Sentence(
            text, run.segments[first], run.segments[last], run.speaker, _borders(run, start, first, last, language)
        )
        for run in _runs(segments, language)
        for start, end in (_by_marks(run.text, language) if punctuated else _by_cues(run, segments, language))
        if (text := cleaned(run.text[start:end], language))
        for first in (bisect_right(run.starts, start) - 1,)
        for last in (bisect_right(run.starts, end - 1) - 1,)
    ]
    return sorted(sentences, key=lambda sentence: sentence.segment_from)


def _borders(run: _Run, start: int, first: int, last: int, language: Language) -> tuple[int, ...]:
    """Where the segments begin in the cleaned text: behind what becomes of the text before them."""
    return tuple(len(cleaned(run.text[start : run.starts[at]], language)) + 1 for at in range(first + 1, last + 1))


def has_punctuation(segments: Sequence[Segment]) -> bool:
    """Whether full stops tell where sentences end."""
    stops = sum(len(_MARK.findall(segment.text)) for segment in segments)
    words = sum(segment.text.count(" ") + 1 for segment in segments)
    return stops * _WORDS_PER_STOP >= words


def cleaned(text: str, language: Language) -> str:
    """The text without fillers and stutters; addresses, numbers and names of files are left alone."""
    text = language.fillers.sub(" ", text)
    text = _STUTTER.sub(r"\1", text)
    text = re.sub(r"\s+([,;.!?])(?=\s|$)", r"\1", re.sub(r"\s+", " ", text))
    text = re.sub(r"^[\s,;.:–—-]+(?=\s|\w|[\"“„])", "", re.sub(r",(?:\s*,)+", ",", text)).strip()
    return text if re.search(r"\w", text) else ""


def capitalised(text: str) -> str:
    """With a capital at the beginning, unless it begins with an address or the name of a file."""
    first = text.split(" ", 1)[0]
    return text if VERBATIM.fullmatch(first.rstrip(".,:;!?")) else text[:1].upper() + text[1:]


def only_listens(text: str, language: Language) -> bool:
    """Whether somebody only shows that they listen (`mhm, okay`)."""
    words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text.lower())
    return len(words) <= 4 and all(word in language.backchannel for word in words)


def _runs(segments: Sequence[Segment], language: Language) -> Iterator[_Run]:
    """Neighbouring segments of one speaker; who only listens does not interrupt a sentence."""
    current: list[Segment] = []
    size = 0
    aside: list[Segment] = []
    for at, segment in enumerate(segments):
        if current and segment.speaker != current[-1].speaker:
            goes_on = at + 1 < len(segments) and segments[at + 1].speaker == current[-1].speaker
            if goes_on and not _ENDED.search(current[-1].text) and only_listens(segment.text, language):
                aside.append(segment)
                continue
        if current and (
            segment.speaker != current[-1].speaker
            or segment.start_ms - current[-1].end_ms > _PAUSE_MS
            or size > _RUN_CHARACTERS
        ):
            yield _joined(current)
            yield from (_joined([item]) for item in aside)
            current, size, aside = [], 0, []
        current.append(segment)
        size += len(segment.text) + 1
    if current:
        yield _joined(current)
    yield from (_joined([item]) for item in aside)


def _joined(segments: Sequence[Segment]) -> _Run:
    starts, position = [], 0
    for segment in segments:
        starts.append(position)
        position += len(segment.text) + 1
    text = " ".join(segment.text for segment in segments)
    return _Run(text, tuple(starts), tuple(segment.index for segment in segments), segments[0].speaker)


def _by_marks(text: str, language: Language) -> Iterator[tuple[int, int]]:
    """Where sentences stand that end with a full stop, a question mark or the like."""
    start = 0
    for stop in _STOP.finditer(text):
        if stop.group()[0] == "." and not _ends_sentence(text, stop, language):
            continue
        yield from _bounded(text, start, stop.end())
        start = stop.end()
    if text[start:].strip():
        yield from _bounded(text, start, len(text))


def _ends_sentence(text: str, stop: re.Match[str], language: Language) -> bool:
    """Whether a full stop is one, and belongs neither to an abbreviation nor to a number in order."""
    word = text[text.rfind(" ", 0, stop.start()) + 1 : stop.end()].lower().lstrip("(\"“„'")
    following = text[stop.end() :].lstrip()[:40]
    if word in language.abbreviations or (re.fullmatch(r"[^\W\d_]\.", word) and word != "i."):
        return False
    if language.nouns_are_capitalised and re.fullmatch(r"\d{1,2}\.", word):
        return False
    first = following.split(" ", 1)[0]
    return not first[:1].islower() or VERBATIM.fullmatch(first.rstrip(".,")) is not None


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span, in parts when it is longer than any sentence."""
    words = [(match.start(), match.end()) for match in _WORD.finditer(text, start, end)]
    for first in range(0, len(words), _HARD_LIMIT_WORDS):
        part = words[first : first + _HARD_LIMIT_WORDS]
        yield part[0][0], part[-1][1]


def _by_cues(run: _Run, segments: Sequence[Segment], language: Language) -> Iterator[tuple[int, int]]:
    """Where sentences stand in a text without punctuation: at pauses, and before words that begin one."""
    borders = dict(zip(run.starts[1:], range(1, len(run.starts)), strict=True))
    starters = {match.start() for match in language.starters.finditer(run.text)}
    start, count, end = 0, 0, 0
    for word in _WORD.finditer(run.text):
        at = word.start()
        border = borders.get(at)
        paused = border is not None and _gap(run, segments, border) >= _LONG_PAUSE_MS
        acts = border is not None and word.group().lower() in language.verbs
        marked = end > 0 and run.text[end - 1] in ".!?…" and not run.text[at].islower()
        if count and (
            marked
            or (count >= _SHORTEST and (paused or at in starters or acts))
            or (border is not None and count >= _LONGEST_WORDS)
            or count >= _HARD_LIMIT_WORDS
        ):
            yield start, end
            start, count = at, 0
        count += 1
        end = word.end()
    if count:
        yield start, end


def _gap(run: _Run, segments: Sequence[Segment], border: int) -> int:
    position = {segment: run.segments[segment] for segment in (border - 1, border)}
    return segments[position[border]].start_ms - segments[position[border - 1]].end_ms
