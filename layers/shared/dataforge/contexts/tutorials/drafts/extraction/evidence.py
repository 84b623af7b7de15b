"""What speaks for a new topic at each gap between phrases: words that come and go, openers, pauses, announcements."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import log
from re import findall
from statistics import fmean, pstdev

from dataforge.contexts.tutorials.drafts.extraction.languages import Language
from dataforge.contexts.tutorials.drafts.extraction.sentences import Sentence
from dataforge.contexts.tutorials.drafts.extraction.vocabulary import Vocabulary
from dataforge.contexts.tutorials.transcripts.domain import Segment

# A word that nobody says for so long is over; when it comes back it begins again.
_QUIET_MS = 90_000
# Words begin and end within so much of a boundary.
_AROUND_MS = 30_000
# A pause counts up to this length.
_PAUSE_S = 3.0
# Logarithms of odds, of a logistic regression over the open transcripts, rounded: for a standard deviation of words,
# for an opener, for a second of pause. The regression gives 2.7 to an announcement, as the patterns were written in
# sight of most of these transcripts; others find other words for it, so it counts for less.
_WORDS, _OPENER, _PAUSED, _ANNOUNCED = 0.7, 1.6, 1.0, 2.0
# A recap is announced behind a name or a word of thanks, within so many characters.
_BEGINNING = 40


def evidence_of(
    gaps: Sequence[int],
    segments: Sequence[Segment],
    sentences: Sequence[Sentence],
    vocabulary: Vocabulary,
    language: Language,
) -> list[float]:
    """How much more than elsewhere speaks for a boundary before each of the segments `gaps`: logarithms of odds.

    What somebody does all the time says nothing, so all of it is counted from its mean in the transcript.
    """
    words = _standardised(_coming_and_going(gaps, segments, vocabulary))
    opened, announced = _said(sentences, language)
    said = [
        _OPENER * (gap in opened) + _ANNOUNCED * (gap in announced) + _PAUSED * _pause(segments, gap) for gap in gaps
    ]
    usual = fmean(said)
    return [round(_WORDS * word + each - usual, 6) for word, each in zip(words, said, strict=True)]


def _standardised(values: Sequence[float]) -> list[float]:
    mean, deviation = fmean(values), pstdev(values)
    return [(value - mean) / deviation if deviation > 1e-9 else 0.0 for value in values]


def _pause(segments: Sequence[Segment], gap: int) -> float:
    """Seconds of silence before the segment."""
    return min(_PAUSE_S, max(0.0, (segments[gap].start_ms - segments[gap - 1].end_ms) / 1000))


def _said(sentences: Sequence[Sentence], language: Language) -> tuple[set[int], set[int]]:
    """The segments that begin with an opener, and those in which a sentence announces a topic."""
    opened: set[int] = set()
    announced: set[int] = set()
    seen: set[int] = set()
    for sentence in sentences:
        first = findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", sentence.text[:_BEGINNING])[:1]
        if sentence.segment_from not in seen and first and first[0].lower() in language.openers:
            opened.add(sentence.segment_from)
        seen.add(sentence.segment_from)
        if language.recap.search(sentence.text[:_BEGINNING]) or language.transitions.match(sentence.text):
            announced.add(sentence.segment_from)
    return opened, announced


def _coming_and_going(gaps: Sequence[int], segments: Sequence[Segment], vocabulary: Vocabulary) -> list[float]:
    """At each gap, what begins behind it and ends before it less what begins before it and ends behind it.

    Lexical chains (Morris and Hirst 1991; Galley et al. 2003 for talk): a word that is said again and again from here
    to there. Rare and frequently repeated ones count for more.
    """
    times = list(accumulate((segment.start_ms for segment in segments), max))
    begins, ends = [0.0] * len(times), [0.0] * len(times)
    for word, chains in _chains(vocabulary, times).items():
        rarity = log(len(times) / vocabulary.segments_with[word])
        for first, last, count in chains:
            weight = rarity * log(count)
            begins[first] += weight
            ends[last] += weight
    begun, ended = [0.0, *accumulate(begins)], [0.0, *accumulate(ends)]
    values = []
    for gap in gaps:
        before, behind = (bisect_left(times, times[gap] + shift) for shift in (-_AROUND_MS, _AROUND_MS))
        coming = (begun[behind] - begun[gap]) - (begun[gap] - begun[before])
        going = (ended[gap] - ended[before]) - (ended[behind] - ended[gap])
        values.append(coming + going)
    return values


def _chains(vocabulary: Vocabulary, times: Sequence[int]) -> dict[str, list[tuple[int, int, int]]]:
    """For each word the stretches in which it is repeated: first and last segment, and how many segments have it."""
    chains: dict[str, list[tuple[int, int, int]]] = {}
    for at, row in enumerate(vocabulary.stems):
        for word in dict.fromkeys(row):
            stretches = chains.setdefault(word, [])
            if stretches and times[at] - times[stretches[-1][1]] <= _QUIET_MS:
                first, _, count = stretches[-1]
                stretches[-1] = (first, at, count + 1)
            else:
                stretches.append((at, at, 1))
    return chains
