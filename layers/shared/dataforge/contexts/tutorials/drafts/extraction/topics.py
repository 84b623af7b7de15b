"""Topics of a transcript by TextTiling (Hearst 1997, "Segmenting Text into Multi-paragraph Subtopic Passages").

Windows of words on both sides of every gap between phrases are compared. A gap is a boundary where the similarity is
much lower than on both sides of it (depth score); where a speaker says that a new topic begins, it is one without that.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from math import log, sqrt
from statistics import fmean, pstdev

from dataforge.contexts.tutorials.drafts.extraction.languages import Language
from dataforge.contexts.tutorials.drafts.extraction.sentences import Sentence
from dataforge.contexts.tutorials.drafts.extraction.vocabulary import Vocabulary
from dataforge.contexts.tutorials.transcripts.domain import Segment

# Content words in a window beside a gap: of a short transcript this share.
_WINDOW, _SHARE = 150, 5
_SMOOTHING, _ROUNDS = 2, 2
# A topic has at least so many content words and so much time.
_SMALLEST_WORDS, _SMALLEST_MS = 30, 75_000
# Depth scores count in standard deviations above the mean. Hearst takes half of one below it, for articles that change
# their topic every few paragraphs.
_CUTOFF = 1.0
# A topic that would last longer than this is divided with less evidence.
_WEAK_CUTOFF, _LONG_MS = 0.4, 270_000
# Words lag behind: the depth of so many gaps on both sides supports an announcement, and a boundary moves to it.
_NEAR = 3
_ANNOUNCED, _HINTED, _PAUSED = 10.0, 0.1, 0.1
# Who announces something more often than this announces no topics: it counts less then.
_MS_PER_ANNOUNCEMENT, _ANNOUNCED_OFTEN = 90_000, 0.5
_LONG_PAUSE_MS = 3_000
# A recap is announced behind a name or a word of thanks, within so many characters.
_BEGINNING = 40


def boundaries_of(
    segments: Sequence[Segment], sentences: Sequence[Sentence], vocabulary: Vocabulary, language: Language
) -> list[int]:
    """Indexes of the segments at which a new topic begins, the first segment not among them."""
    gaps = sorted({sentence.segment_from for sentence in sentences if sentence.segment_from > 0})
    if not gaps:
        return []
    position = _word_positions(vocabulary)
    evidence = _evidence(gaps, segments, sentences, vocabulary, language)
    chosen: list[int] = []
    taken = _Taken(segments, position)
    for at in sorted(range(len(gaps)), key=lambda at: (-evidence[at], at)):
        if evidence[at] < _WEAK_CUTOFF:
            break
        if (evidence[at] >= _CUTOFF or taken.in_long_topic(gaps[at])) and taken.add(
            gaps[at], announced=evidence[at] >= _ANNOUNCED
        ):
            chosen.append(gaps[at])
    return sorted(chosen)


class _Taken:
    """The edges of topics so far, by minutes, so that only the neighbours of a new one are looked at."""

    def __init__(self, segments: Sequence[Segment], position: Sequence[int]) -> None:
        self._segments = segments
        self._position = position
        self._edges: dict[int, list[int]] = {}
        self._sorted: list[int] = []
        for edge in (0, len(segments)):
            self._put(edge)

    def _time(self, edge: int) -> int:
        return self._segments[edge].start_ms if edge < len(self._segments) else self._segments[-1].end_ms

    def _least_ms(self, edge: int, *, announced: bool) -> int:
        """An announced recap or farewell at the end may be short."""
        return _SMALLEST_MS // 2 if announced and edge == len(self._segments) else _SMALLEST_MS

    def _put(self, edge: int) -> None:
        self._edges.setdefault(self._time(edge) // _SMALLEST_MS, []).append(edge)
        insort(self._sorted, edge)

    def in_long_topic(self, gap: int) -> bool:
        """Whether no edge is near: the gap stands in a topic longer than most."""
        at = bisect_left(self._sorted, gap)
        return self._time(self._sorted[at]) - self._time(self._sorted[at - 1]) > _LONG_MS

    def add(self, gap: int, *, announced: bool) -> bool:
        """Take the gap, unless one side of it would be too small for a topic."""
        minute = self._time(gap) // _SMALLEST_MS
        near = [edge for at in (minute - 1, minute, minute + 1) for edge in self._edges.get(at, ())]
        wide = all(
            abs(self._time(gap) - self._time(edge)) >= self._least_ms(edge, announced=announced) for edge in near
        )
        long = all(abs(self._position[gap] - self._position[edge]) >= _SMALLEST_WORDS for edge in near)
        if wide and long:
            self._put(gap)
        return wide and long


def _evidence(
    gaps: Sequence[int],
    segments: Sequence[Segment],
    sentences: Sequence[Sentence],
    vocabulary: Vocabulary,
    language: Language,
) -> list[float]:
    """How much speaks for a boundary at each gap, in standard deviations of the depth scores."""
    similarities = _similarities(gaps, vocabulary)
    for _ in range(_ROUNDS):
        similarities = [
            fmean(similarities[max(0, at - _SMOOTHING) : at + _SMOOTHING + 1]) for at in range(len(similarities))
        ]
    depths = _depths(similarities)
    mean, deviation = fmean(depths), pstdev(depths)
    scores = [round((depth - mean) / deviation, 6) if deviation > 1e-9 else 0.0 for depth in depths]
    hints = _announcements(sentences, language)
    announced = sum(hint == _ANNOUNCED for hint in hints.values())
    if announced * _MS_PER_ANNOUNCEMENT > segments[-1].end_ms - segments[0].start_ms:
        hints = {segment: min(hint, _ANNOUNCED_OFTEN) for segment, hint in hints.items()}
    evidence = []
    for at, gap in enumerate(gaps):
        near = max(scores[max(0, at - _NEAR) : at + _NEAR + 1])
        hint = hints.get(gap, 0.0)
        paused = _PAUSED if segments[gap].start_ms - segments[gap - 1].end_ms >= _LONG_PAUSE_MS else 0.0
        evidence.append((near if hint or paused else scores[at]) + hint + paused)
    return evidence


def _word_positions(vocabulary: Vocabulary) -> list[int]:
    positions = [0]
    for row in vocabulary.stems:
        positions.append(positions[-1] + len(row))
    return positions


def _similarities(gaps: Sequence[int], vocabulary: Vocabulary) -> list[float]:
    """Cosine of the weighted words before and after each gap, in one pass over the words."""
    words = [word for row in vocabulary.stems for word in row]
    position = _word_positions(vocabulary)
    size = max(1, min(_WINDOW, len(words) // _SHARE))
    total = len(vocabulary.stems)
    weight = {word: log(1 + total / spread) for word, spread in vocabulary.segments_with.items()}
    windows = _Windows(weight)
    for word in words[:size]:
        windows.right(word, 1)
    at, similarities = 0, []
    for gap in gaps:
        while at < position[gap]:
            windows.right(words[at], -1)
            windows.left(words[at], 1)
            if at + size < len(words):
                windows.right(words[at + size], 1)
            if at >= size:
                windows.left(words[at - size], -1)
            at += 1
        similarities.append(windows.cosine())
    return similarities


class _Windows:
    """Counts of the words on both sides of a gap with their product and norms, kept while the gap moves."""

    def __init__(self, weight: dict[str, float]) -> None:
        self._weight = weight
        self._left: Counter[str] = Counter()
        self._right: Counter[str] = Counter()
        self._product = self._left_norm = self._right_norm = 0.0

    def left(self, word: str, change: int) -> None:
        """One more or one less of the word before the gap."""
        weight = self._weight[word]
        self._product += weight * change * self._right[word]
        self._left_norm += weight * change * (2 * self._left[word] + change)
        self._left[word] += change

    def right(self, word: str, change: int) -> None:
        """One more or one less of the word behind the gap."""
        weight = self._weight[word]
        self._product += weight * change * self._left[word]
        self._right_norm += weight * change * (2 * self._right[word] + change)
        self._right[word] += change

    def cosine(self) -> float:
        """Similarity of both sides, from 0 to 1."""
        norm = self._left_norm * self._right_norm
        return self._product / sqrt(norm) if norm > 1e-9 else 0.0


def _depths(similarities: Sequence[float]) -> list[float]:
    """How far the similarity rises on both sides of each gap until it falls again."""
    left = _peaks(similarities)
    right = _peaks(similarities[::-1])[::-1]
    return [left[at] + right[at] - 2 * value for at, value in enumerate(similarities)]


def _peaks(values: Sequence[float]) -> list[float]:
    """The height of the hill that one comes from, walking from the left."""
    peaks: list[float] = []
    for at, value in enumerate(values):
        peaks.append(peaks[-1] if at and values[at - 1] >= value else value)
    return peaks


def _announcements(sentences: Sequence[Sentence], language: Language) -> dict[int, float]:
    """Segments in which a sentence begins that opens a topic, and what that counts."""
    hints: dict[int, float] = {}
    for sentence in sentences:
        recap = language.recap.search(sentence.text[:_BEGINNING])
        if recap or language.transitions.match(sentence.text):
            hints[sentence.segment_from] = _ANNOUNCED
        elif language.weak_transitions.match(sentence.text):
            hints.setdefault(sentence.segment_from, _HINTED)
    return hints
