"""Who of the speakers is the expert."""

from collections import Counter
from collections.abc import Sequence

from dataforge.contexts.tutorials.drafts.extraction.languages import Instruction
from dataforge.contexts.tutorials.drafts.extraction.sentences import Sentence
from dataforge.contexts.tutorials.drafts.extraction.vocabulary import Vocabulary
from dataforge.contexts.tutorials.transcripts.domain import Segment

_INSTRUCTIONS, _TALK, _VOCABULARY, _ANSWERS = 0.55, 0.2, 0.15, 0.1
# A speaker with so much of the talk shows something to the others.
_SHOWS = 0.8
# Rarer words of the whole transcript are its domain's.
_DOMAIN_WORDS = 40


def expert_of(
    segments: Sequence[Segment],
    sentences: Sequence[Sentence],
    instructions: Sequence[Instruction | None],
    vocabulary: Vocabulary,
) -> str | None:
    """The speaker who instructs, by shares of instructions, of the talk, of the domain's words, and of answers.

    None where nobody is named.
    """
    words = words_by_speaker(segments)
    if not words:
        return None
    instructing: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    before: Sentence | None = None
    for sentence, instruction in zip(sentences, instructions, strict=True):
        if sentence.speaker is None:
            continue
        if instruction is not None and instruction.score >= 1:
            instructing[sentence.speaker] += 1
        if before is not None and before.text.endswith("?") and before.speaker != sentence.speaker:
            answers[sentence.speaker] += len(sentence.text.split())
        before = sentence
    domain = {
        word for word, _ in sorted(vocabulary.counts.items(), key=lambda item: (-item[1], item[0]))[:_DOMAIN_WORDS]
    }
    speaking: Counter[str] = Counter()
    for segment, row in zip(segments, vocabulary.stems, strict=True):
        if segment.speaker is not None:
            speaking[segment.speaker] += sum(word in domain for word in row)

    def worth(speaker: str) -> float:
        return sum(
            weight * counts[speaker] / max(1, counts.total())
            for weight, counts in (
                (_INSTRUCTIONS, instructing),
                (_TALK, words),
                (_VOCABULARY, speaking),
                (_ANSWERS, answers),
            )
        )

    return min(words, key=lambda speaker: (-worth(speaker), speaker))


def words_by_speaker(segments: Sequence[Segment]) -> Counter[str]:
    """How many words each named speaker says."""
    words: Counter[str] = Counter()
    for segment in segments:
        if segment.speaker is not None:
            words[segment.speaker] += segment.text.count(" ") + 1
    return words


def shows_alone(segments: Sequence[Segment], expert: str | None) -> bool:
    """Whether nearly all is said by the expert, as in a lecture, where `I open …` is an instruction."""
    words = words_by_speaker(segments)
    return expert is None or words[expert] >= _SHOWS * words.total()
