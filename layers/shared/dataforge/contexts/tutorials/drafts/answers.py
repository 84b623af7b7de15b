"""What a language model must answer, and which parts of an answer the transcript bears out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from dataforge.contexts.tutorials.drafts.domain import DraftSection, DraftStep, DroppedStep, GlossaryEntry
from dataforge.contexts.tutorials.transcripts.domain import Segment
from dataforge.kernel.texts import Text

# A step that needs more of a conversation than this cites nothing in particular.
MOST_SEGMENTS = 12
# Words are compared by how they begin: "opens", "opened" and "opening" are one, and so are most German forms.
_STEM = 4


class _Part(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)


class AnsweredStep(_Part):
    """An instruction and the segments it stands in, both ends included."""

    text: str = Field(min_length=1, max_length=500, description="One action as an imperative sentence.")
    segment_from: int = Field(ge=0, description="Number of the first segment that gives the instruction.")
    segment_to: int = Field(ge=0, description="Number of the last segment that gives it, often the same.")


class AnsweredTopic(_Part):
    """A topic and where it begins."""

    title: str = Field(min_length=1, max_length=200)
    segment_from: int = Field(ge=0, description="Number of the segment that opens the topic.")


class AnsweredTerm(_Part):
    """A word that the transcript explains."""

    term: str = Field(min_length=1, max_length=100)
    explanation: str = Field(min_length=1, max_length=500)
    segment: int = Field(ge=0, description="Number of the segment that explains it.")


class ModelAnswer(_Part):
    """What the model says of one piece of a transcript; its JSON schema goes to the model."""

    title: str = Field(min_length=1, max_length=200)
    summary: str = Field(default="", max_length=2_000)
    expert: str | None = Field(default=None, max_length=100, description="Speaker whose instructions are followed.")
    prerequisites: list[str] = Field(default_factory=list, max_length=30)
    glossary: list[AnsweredTerm] = Field(default_factory=list, max_length=50)
    topics: list[AnsweredTopic] = Field(default_factory=list, max_length=60)
    steps: list[AnsweredStep] = Field(max_length=200)


@dataclass(frozen=True, slots=True)
class CitedParts:
    """What of an answer cites the transcript as it should, and what was left out."""

    steps: tuple[DraftStep, ...]
    glossary: tuple[GlossaryEntry, ...]
    sections: tuple[DraftSection, ...]
    dropped: tuple[DroppedStep, ...]


def cited_parts(answer: ModelAnswer, piece: Sequence[Segment]) -> CitedParts:
    """Check each citation against the segments that the model was given, which follow each other by number."""
    steps: list[DraftStep] = []
    dropped: list[DroppedStep] = []
    expert = answer.expert if any(segment.speaker == answer.expert for segment in piece) else None
    for step in answer.steps:
        checked = _checked(step, piece, expert)
        if isinstance(checked, DraftStep):
            steps.append(checked)
        else:
            dropped.append(DroppedStep(step.text, checked))
    glossary = []
    for entry in answer.glossary:
        cited = _cited(entry.segment, entry.segment, piece)
        if cited and _support(entry.term, cited) > 0 and _support(entry.explanation, cited) > 0:
            glossary.append(GlossaryEntry(entry.term, entry.explanation, entry.segment))
        else:
            dropped.append(
                DroppedStep(entry.term, Text("Segment {segment} does not explain it.", segment=entry.segment))
            )
    steps.sort(key=lambda step: (step.segment_from, step.segment_to))
    return CitedParts(tuple(steps), tuple(glossary), tuple(_sections(answer, piece)), tuple(dropped))


def _checked(step: AnsweredStep, piece: Sequence[Segment], expert: str | None) -> DraftStep | str:
    """The step with its time, or why it is none."""
    if step.segment_to < step.segment_from:
        return Text(
            "It cites segments {segment_from} to {segment_to}, which is backwards.",
            segment_from=step.segment_from,
            segment_to=step.segment_to,
        )
    if step.segment_to - step.segment_from >= MOST_SEGMENTS:
        return Text("It cites more than {most_segments} segments.", most_segments=MOST_SEGMENTS)
    cited = _cited(step.segment_from, step.segment_to, piece)
    if not cited:
        return Text(
            "It cites segments {segment_from} to {segment_to}, which it was not given.",
            segment_from=step.segment_from,
            segment_to=step.segment_to,
        )
    if expert is not None and all(segment.speaker != expert for segment in cited):
        return Text(
            "The expert says nothing in segments {segment_from} to {segment_to}.",
            segment_from=step.segment_from,
            segment_to=step.segment_to,
        )
    support = _support(step.text, cited)
    if support == 0:
        return Text(
            "Nothing of it is said in segments {segment_from} to {segment_to}.",
            segment_from=step.segment_from,
            segment_to=step.segment_to,
        )
    return DraftStep(
        text=step.text,
        start_ms=cited[0].start_ms,
        end_ms=max(segment.end_ms for segment in cited),
        segment_from=step.segment_from,
        segment_to=step.segment_to,
        score=round(support, 3),
    )


def _cited(first: int, last: int, piece: Sequence[Segment]) -> Sequence[Segment]:
    begins = piece[0].index
    if first < begins or last > piece[-1].index:
        return ()
    return piece[first - begins : last - begins + 1]


def _support(text: str, cited: Sequence[Segment]) -> float:
    """Share of the words of a text that the segments have as well, 0 to 1."""
    said = set(_stems(" ".join(segment.text for segment in cited)))
    stems = set(_stems(text))
    return len(stems & said) / len(stems) if stems else 0.0


def _stems(text: str) -> Iterator[str]:
    words = re.findall(r"\w+", text.casefold())
    # Articles and the like agree with anything, unless there is nothing else.
    content = [word for word in words if len(word) >= _STEM] or words
    return (word[:_STEM] for word in content)


def _sections(answer: ModelAnswer, piece: Sequence[Segment]) -> Iterator[DraftSection]:
    """The topics without gaps: the first begins with the piece, each ends where another begins."""
    first, last = piece[0].index, piece[-1].index
    titles: dict[int, str] = {}
    for topic in sorted(answer.topics, key=lambda topic: topic.segment_from):
        if first <= topic.segment_from <= last:
            titles.setdefault(topic.segment_from if titles else first, topic.title)
    begins = list(titles) or [first]
    for at, end in zip(begins, [*(begin - 1 for begin in begins[1:]), last], strict=True):
        yield DraftSection(titles.get(at, answer.title), at, end)
