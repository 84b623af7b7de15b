"""Topics of a transcript: the boundaries that are likeliest to be near the true ones.

Evidence at each gap between phrases (`evidence`) and how long topics are give a chance that a topic begins there. Of
that follow the boundaries for which Pk, the usual measure of such errors, is expected to be least.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import exp, log

from dataforge.contexts.tutorials.drafts.extraction.evidence import evidence_of
from dataforge.contexts.tutorials.drafts.extraction.languages import Language
from dataforge.contexts.tutorials.drafts.extraction.sentences import Sentence
from dataforge.contexts.tutorials.drafts.extraction.vocabulary import Vocabulary
from dataforge.contexts.tutorials.transcripts.domain import Segment

# The length of topics is log-normal: its median in seconds and the deviation of its logarithm, as they are labelled.
_MEDIAN_S, _DEVIATION = 140.0, 0.36
# No topic is looked for that is longer than this, unless nobody begins a sentence in between.
_LONGEST_S = 420
# Of the gaps within so many seconds only the one with the most evidence is looked at, which bounds the work.
_THIN_S = 3
# How rare boundaries are, beside what the length of topics says: the logarithm of a rate per minute.
_RARE = -0.7
# A boundary nearer to the true one than this is better than none.
_NEAR_S = 75.0


def boundaries_of(
    segments: Sequence[Segment], sentences: Sequence[Sentence], vocabulary: Vocabulary, language: Language
) -> list[int]:
    """Indexes of the segments at which a new topic begins, the first segment not among them."""
    gaps = sorted({sentence.segment_from for sentence in sentences if sentence.segment_from > 0})
    if not gaps:
        return []
    evidence = dict(zip(gaps, evidence_of(gaps, segments, sentences, vocabulary, language), strict=True))
    times = list(accumulate((segment.start_ms / 1000 for segment in segments), max))
    begin, end = times[0], max(times[-1], segments[-1].end_ms / 1000)
    rare = _RARE + log(max(end - begin, 1.0) / 60 / len(gaps))
    gaps = _thinned(gaps, times, evidence)
    seconds = [times[gap] for gap in gaps]
    chances = _chances([begin, *seconds, end], [0.0, *(evidence[gap] + rare for gap in gaps), 0.0])
    worth = [value if evidence[gap] > 0 else -1.0 for gap, value in zip(gaps, _worths(seconds, chances), strict=True)]
    return [gaps[at] for at in _best(seconds, worth)]


def _thinned(gaps: Sequence[int], times: Sequence[float], evidence: dict[int, float]) -> list[int]:
    """The gap with the most evidence of every few seconds."""
    best: dict[int, int] = {}
    for gap in gaps:
        slot = int(times[gap] // _THIN_S)
        if slot not in best or evidence[gap] > evidence[best[slot]]:
            best[slot] = gap
    return [best[slot] for slot in sorted(best)]


def _likelihoods(short: float) -> list[float]:
    """The logarithm of how likely a topic of so many seconds is; `short` is how much it counts that one is short."""
    values = []
    for length in range(_LONGEST_S + 1):
        off = log(max(length, 1) / _MEDIAN_S) / _DEVIATION
        values.append(-(off**2) / 2 * (short if off < 0 else 1.0))
    return values


def _chances(seconds: Sequence[float], scores: Sequence[float]) -> list[float]:
    """The chance of a boundary at each of the times, without the first and the last, where the talk begins and ends.

    Sums over all ways to divide the talk, forwards and backwards (a hidden semi-Markov model).
    """
    # What comes last, a recap or a goodbye, may be short.
    likely, likely_last = _likelihoods(1.0), _likelihoods(0.5)
    end = len(seconds) - 1

    def length(before: int, at: int) -> int:
        return min(_LONGEST_S, int(seconds[at] - seconds[before]))

    forwards = [0.0]
    first = 0
    for at in range(1, end + 1):
        while first < at - 1 and seconds[at] - seconds[first] > _LONGEST_S:
            first += 1
        table = likely_last if at == end else likely
        forwards.append(
            scores[at] + _sum_of([forwards[before] + table[length(before, at)] for before in range(first, at)])
        )
    backwards = [0.0] * (end + 1)
    last = end
    for before in range(end - 1, -1, -1):
        while last > before + 1 and seconds[last] - seconds[before] > _LONGEST_S:
            last -= 1
        ways = [
            scores[at] + backwards[at] + likely[length(before, at)] for at in range(before + 1, min(last, end - 1) + 1)
        ]
        if last == end:
            ways.append(likely_last[length(before, end)])
        backwards[before] = _sum_of(ways)
    return [exp(min(0.0, forwards[at] + backwards[at] - forwards[end])) for at in range(1, end)]


def _sum_of(logarithms: Sequence[float]) -> float:
    """The logarithm of the sum of what these are logarithms of."""
    most = max(logarithms)
    return most + log(sum([exp(each - most) for each in logarithms if each > most - 30]))


def _worths(seconds: Sequence[float], chances: Sequence[float]) -> list[float]:
    """By how much a boundary at each time is expected to lower the errors.

    One that is not there costs as much as a missing one does, and one that stands beside the true one twice the share
    of the distance: so a boundary is worth the chances around it, the nearer the more, less a half.
    """
    worths = []
    first = 0
    for here in seconds:
        while here - seconds[first] >= _NEAR_S:
            first += 1
        worth = -0.5
        for at in range(first, len(seconds)):
            distance = abs(seconds[at] - here)
            if distance >= _NEAR_S:
                break
            worth += chances[at] * (1 - distance / _NEAR_S)
        worths.append(worth)
    return worths


def _best(seconds: Sequence[float], worths: Sequence[float]) -> list[int]:
    """The places of the boundaries that are worth most together and do not stand near each other."""
    best = [0.0]
    taken: list[int | None] = [None]
    for at, worth in enumerate(worths):
        before = bisect_left(seconds, seconds[at] - _NEAR_S + 1e-9, 0, at)
        takes = best[before] + worth > best[at]
        best.append(best[before] + worth if takes else best[at])
        taken.append(before if takes else None)
    chosen = []
    at = len(worths)
    while at:
        before_it = taken[at]
        if before_it is None:
            at -= 1
        else:
            chosen.append(at - 1)
            at = before_it
    return chosen[::-1]
