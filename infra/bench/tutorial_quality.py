"""How well a draft agrees with labels: steps by the segments they cite, topics by Pk and WindowDiff, and the expert.

What counts as a step and when one matches is in `tests/fixtures/transcripts/README.md`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataforge.contexts.tutorials.drafts.domain import Draft
from dataforge.contexts.tutorials.transcripts.domain import Segment
from dataforge.contexts.tutorials.transcripts.parsing.reading import parse_transcript
from infra.local.layout import ROOT

TRANSCRIPTS = ROOT / "tests" / "fixtures" / "transcripts"
HELD_OUT = TRANSCRIPTS / "held_out"
# Least share of the segments that two steps cite together which both of them must cite to be the same step.
AGREEMENT = 0.5
# What a reader without any method would go by: verbs that instructions have, and topics of one length.
VERBS = {
    "en": r"add|change|check|choose|click|close|copy|create|delete|download|enter|make|open|pick|press|put|remove|run|"
    r"save|select|set|switch|take|turn|type|wait|write",
    "de": r"(?:drück|gib|geb|geh|klick|kopier|leg|lösch|markier|nehm|öffn|prüf|schalt|schließ|schreib|speicher|steck|"
    r"stell|tipp|wähl|wart|zieh)(?:en|t|et)?",
}
TOPIC_SEGMENTS = 25

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A transcript with what its labels say; spans are inclusive segment indexes, boundaries begin a topic."""

    name: str
    segments: tuple[Segment, ...]
    language: str
    expert: str | None
    steps: tuple[Span, ...]
    boundaries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is judged of a draft, in the terms of the labels."""

    steps: tuple[Span, ...]
    boundaries: tuple[int, ...]
    expert: str | None


@dataclass(frozen=True, slots=True)
class Quality:
    """How well an answer agrees with the labels; all shares are 0 to 1, and `pk` and `window_diff` are errors."""

    precision: float
    recall: float
    pk: float
    window_diff: float
    expert: bool

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def overlap(one: Span, two: Span) -> float:
    """Shared segments divided by all segments that either span has."""
    shared = min(one[1], two[1]) - max(one[0], two[0]) + 1
    if shared <= 0:
        return 0.0
    return shared / (one[1] - one[0] + two[1] - two[0] + 2 - shared)


def matched(labels: Sequence[Span], answers: Sequence[Span]) -> int:
    """The largest number of pairs of a label and an answer that agree, each of them in one pair at most.

    Augmenting paths in the bipartite graph of what agrees (Kuhn 1955).
    """
    agreeing = [
        [index for index, answer in enumerate(answers) if overlap(label, answer) >= AGREEMENT] for label in labels
    ]
    owner: dict[int, int] = {}

    def place(label: int, tried: set[int]) -> bool:
        for answer in agreeing[label]:
            if answer in tried:
                continue
            tried.add(answer)
            if answer not in owner or place(owner[answer], tried):
                owner[answer] = label
                return True
        return False

    return sum(place(label, set()) for label in range(len(labels)))


def window(length: int, boundaries: Sequence[int]) -> int:
    """Half the mean length of the topics: the distance at which Pk and WindowDiff look, at least 1."""
    return max(1, round(length / (2 * (len(boundaries) + 1))))


def pk(length: int, labels: Sequence[int], answers: Sequence[int]) -> float:
    """Share of pairs of segments whose being in one topic is judged differently (Beeferman et al. 1999, section 4)."""
    width = window(length, labels)
    true, said = _topics(length, labels), _topics(length, answers)
    pairs = range(length - width)
    wrong = sum((true[at] == true[at + width]) != (said[at] == said[at + width]) for at in pairs)
    return wrong / len(pairs) if pairs else 0.0


def window_diff(length: int, labels: Sequence[int], answers: Sequence[int]) -> float:
    """Share of windows with another number of boundaries than labelled (Pevzner and Hearst 2002, section 5)."""
    width = window(length, labels)
    true, said = _topics(length, labels), _topics(length, answers)
    pairs = range(length - width)
    wrong = sum(true[at + width] - true[at] != said[at + width] - said[at] for at in pairs)
    return wrong / len(pairs) if pairs else 0.0


def _topics(length: int, boundaries: Sequence[int]) -> list[int]:
    """The number of the topic that each segment belongs to."""
    begins = set(boundaries)
    numbers, current = [], 0
    for index in range(length):
        current += index in begins and index > 0
        numbers.append(current)
    return numbers


def judge(labelled: Labelled, answer: Answer) -> Quality:
    """How well `answer` agrees with the labels."""
    pairs = matched(labelled.steps, answer.steps)
    length = len(labelled.segments)
    return Quality(
        precision=pairs / len(answer.steps) if answer.steps else 0.0,
        recall=pairs / len(labelled.steps) if labelled.steps else 0.0,
        pk=pk(length, labelled.boundaries, answer.boundaries),
        window_diff=window_diff(length, labelled.boundaries, answer.boundaries),
        expert=answer.expert == labelled.expert,
    )


def answer_of(draft: Draft) -> Answer:
    """What is judged of a draft."""
    return Answer(
        steps=tuple((step.segment_from, step.segment_to) for step in draft.steps),
        boundaries=tuple(section.segment_from for section in draft.sections if section.segment_from > 0),
        expert=draft.expert,
    )


def baseline(labelled: Labelled) -> Answer:
    """What goes by verbs in what the one says who says most, and by topics of one length."""
    words: Counter[str | None] = Counter()
    for segment in labelled.segments:
        words[segment.speaker] += len(segment.text.split())
    speaker = max(words, key=lambda each: words[each])
    verbs = re.compile(rf"\b(?:{VERBS[labelled.language]})\b", re.IGNORECASE)
    return Answer(
        steps=tuple(
            (segment.index, segment.index)
            for segment in labelled.segments
            if segment.speaker == speaker and verbs.search(segment.text)
        ),
        boundaries=tuple(range(TOPIC_SEGMENTS, len(labelled.segments), TOPIC_SEGMENTS)),
        expert=speaker,
    )


def mean(qualities: Iterable[Quality]) -> Quality:
    """The means over transcripts; the expert is right when it is in all."""
    each = list(qualities)
    return Quality(
        precision=sum(one.precision for one in each) / len(each),
        recall=sum(one.recall for one in each) / len(each),
        pk=sum(one.pk for one in each) / len(each),
        window_diff=sum(one.window_diff for one in each) / len(each),
        expert=all(one.expert for one in each),
    )


def load(labels: Path) -> Labelled:
    """A transcript by the path of its `.labels.json`."""
    said: dict[str, Any] = json.loads(labels.read_text())
    name = labels.name.removesuffix(".labels.json")
    (transcript,) = (path for path in labels.parent.glob(f"{name}.*") if path != labels)
    return Labelled(
        name=name,
        segments=tuple(parse_transcript(transcript.read_bytes()).segments),
        language=said["language"],
        expert=said["expert"],
        steps=tuple((step["segment_from"], step["segment_to"]) for step in said["steps"]),
        boundaries=tuple(said["boundaries"]),
    )


def open_ones() -> list[Labelled]:
    """The transcripts that an engine may be made with."""
    return [load(path) for path in sorted(TRANSCRIPTS.glob("*.labels.json"))]


def held_out() -> list[Labelled]:
    """The transcripts that nothing but final figures reads."""
    return [load(path) for path in sorted(HELD_OUT.glob("*.labels.json"))]
