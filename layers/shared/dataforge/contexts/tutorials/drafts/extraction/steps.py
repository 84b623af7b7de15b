"""Steps of a tutorial from instructions that were heard."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dataforge.contexts.tutorials.drafts.domain import DraftStep
from dataforge.contexts.tutorials.drafts.extraction.languages import Instruction, Language, stem
from dataforge.contexts.tutorials.drafts.extraction.sentences import Sentence, capitalised
from dataforge.contexts.tutorials.transcripts.domain import Segment

_LEAST_SCORE = 1.0
# What repeats a step within so many segments is the same one, and what repeats it later is said again.
_NEAR = 6
_ALIKE_NEAR, _ALIKE = 0.6, 0.75
_LONGEST_WORDS = 40
_RECAP_SENTENCES = 10
# What is taken back was tried within so many segments, and for so many more nothing counts.
_ATTEMPT = 12
_QUIET = 2
_SHORTEST_CHARACTERS = 10
_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")


@dataclass(slots=True)
class _Step:
    text: str
    segment_from: int
    segment_to: int
    score: float
    sentence: int
    words: frozenset[str]


def steps_of(
    segments: Sequence[Segment],
    sentences: Sequence[Sentence],
    instructions: Sequence[Instruction | None],
    language: Language,
) -> tuple[DraftStep, ...]:
    """The instructions in order, each once, with the segments and the time that they were said in."""
    steps: list[_Step] = []
    by_word: dict[str, list[int]] = {}
    for step in _heard(sentences, instructions, language):
        earlier = _same_as(step, steps, by_word)
        if earlier is not None:
            _repeat(earlier, step)
        elif steps and _goes_on(steps[-1], step, sentences, language):
            last = steps[-1]
            last.text = (
                f"{last.text.rstrip('.')}. {step.text}"
                if not _CONJUNCTION.match(step.text)
                else f"{last.text.rstrip('.')} {step.text[:1].lower()}{step.text[1:]}"
            )
            last.segment_to = max(last.segment_to, step.segment_to)
            last.words |= step.words
            last.sentence = step.sentence
        else:
            for word in step.words:
                by_word.setdefault(word, []).append(len(steps))
            steps.append(step)
    return tuple(
        DraftStep(
            step.text,
            min(segment.start_ms for segment in cited),
            max(segment.end_ms for segment in cited),
            step.segment_from,
            step.segment_to,
            step.score,
        )
        for step in steps
        for cited in (segments[step.segment_from : step.segment_to + 1],)
    )


_CONJUNCTION = re.compile(r"(?:and|und|until|bis)\b", re.IGNORECASE)


def _heard(
    sentences: Sequence[Sentence], instructions: Sequence[Instruction | None], language: Language
) -> Iterator[_Step]:
    kept: list[_Step] = []
    recap_until = quiet_until = -1
    attempt: tuple[int, int] | None = None
    for at, (sentence, instruction) in enumerate(zip(sentences, instructions, strict=True)):
        if language.recap.search(sentence.text):
            recap_until = at + _RECAP_SENTENCES
        if language.attempts.search(sentence.text):
            attempt = (len(kept), sentence.segment_from)
        if language.corrections.search(sentence.text):
            quiet_until = -1
        if language.retractions.search(sentence.text):
            if sentence.segment_from > quiet_until:
                _take_back(kept, sentence, attempt)
            attempt, quiet_until = None, sentence.segment_to + _QUIET
            continue
        if (
            instruction is None
            or at <= recap_until
            or instruction.score < _LEAST_SCORE
            or sentence.segment_from <= quiet_until
        ):
            continue
        words = frozenset(
            stem(word, language)
            for word in (found.lower() for found in _WORD.findall(instruction.text))
            if word not in language.stop_words
        )
        last = max(sentence.segment_from, _cited_to(sentence, instruction, language))
        kept.append(
            _Step(capitalised(instruction.text), sentence.segment_from, last, min(instruction.score, 2.0), at, words)
        )
    yield from kept


def _take_back(steps: list[_Step], retraction: Sentence, attempt: tuple[int, int] | None) -> None:
    """Remove what is taken back: all since an attempt began, else the last step, if it is not long ago."""
    if attempt is not None and retraction.segment_from - attempt[1] <= _ATTEMPT:
        del steps[attempt[0] :]
    elif steps and retraction.segment_from - steps[-1].segment_to <= _NEAR:
        steps.pop()


def _cited_to(sentence: Sentence, instruction: Instruction, language: Language) -> int:
    """The last segment of the instruction, without those that only give reasons for it."""
    reason = language.reasons.search(sentence.text, instruction.begins + _SHORTEST_CHARACTERS)
    end = reason.start() if reason else len(sentence.text)
    return sentence.segment_from + bisect_left(sentence.borders, end)


def _same_as(step: _Step, steps: Sequence[_Step], by_word: dict[str, list[int]]) -> _Step | None:
    """The latest step that says the same."""
    if not step.words:
        return steps[-1] if steps and step.segment_from - steps[-1].segment_to <= 1 else None
    # The rarest word of the step has the shortest list; the latest of it are enough to look at.
    lists = [by_word.get(word, []) for word in step.words]
    candidates = sorted({at for entries in lists for at in entries[-8:]}, reverse=True)
    for at in candidates:
        earlier = steps[at]
        union = len(earlier.words | step.words)
        alike = len(earlier.words & step.words) / union if union else 0.0
        near = step.segment_from - earlier.segment_to <= _NEAR
        if alike >= (_ALIKE_NEAR if near else _ALIKE) and (near or len(step.words) > 1):
            return earlier
    return None


def _repeat(earlier: _Step, again: _Step) -> None:
    if again.segment_from - earlier.segment_to > 1:
        return
    earlier.segment_to = max(earlier.segment_to, again.segment_to)
    if len(again.words) > len(earlier.words):
        earlier.text, earlier.words = again.text, again.words
    earlier.score = max(earlier.score, again.score)


def _goes_on(last: _Step, step: _Step, sentences: Sequence[Sentence], language: Language) -> bool:
    """Whether the sentence continues the step before it: the one right behind it, beginning with `and` or the like."""
    return (
        step.sentence - last.sentence == 1
        and sentences[step.sentence].speaker == sentences[last.sentence].speaker
        and language.continuations.match(sentences[step.sentence].text) is not None
        and len(last.text.split()) + len(step.text.split()) <= _LONGEST_WORDS
    )
