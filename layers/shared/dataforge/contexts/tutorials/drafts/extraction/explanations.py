"""What a draft has besides its steps: words explained, what one needs beforehand, titles and a summary."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import log

from dataforge.contexts.tutorials.drafts.domain import DraftSection, GlossaryEntry
from dataforge.contexts.tutorials.drafts.extraction.languages import Language
from dataforge.contexts.tutorials.drafts.extraction.sentences import Sentence, capitalised
from dataforge.contexts.tutorials.drafts.extraction.vocabulary import Vocabulary

_MOST_ENTRIES = 30
_MOST_PREREQUISITES = 12
_TITLE_CHARACTERS = 80
_EXPLANATION_CHARACTERS = 400
_WORDS_IN_TITLE = 3
# What all this is about is said within the first so many sentences.
_OPENING = 40
_NAMES_IN_SUMMARY = 12
_LEADING = re.compile(
    r"^(?:(?:how|wie)\b.*|(?:my|our|your|the|an?|meine?[mnr]?|unsere?[mnr]?|d(?:er|ie|as|em|en)|eine?[mnr]?)\s+(?P<rest>.+))$",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"[\s,;:–—-]*\b(?:today|heute|now|here|hier|okay|please|bitte|right|and|und|so)?[\s,;:.–—-]*$", re.IGNORECASE
)
_CLAUSE_END = re.compile(r"[,;:]\s|\s(?:because|weil|so that|damit|and then|und dann|which|but|aber)\s", re.IGNORECASE)


def glossary_of(
    sentences: Sequence[Sentence], expert: str | None, vocabulary: Vocabulary, language: Language
) -> tuple[GlossaryEntry, ...]:
    """Words with the sentence that explains them, the first explanation of each."""
    entries: dict[str, GlossaryEntry] = {}
    text_of = Counter(word.lower() for word in vocabulary.spelling.values())
    for sentence in sentences:
        if (expert is not None and sentence.speaker != expert) or sentence.text.endswith("?"):
            continue
        for pattern in language.definitions:
            match = pattern.search(sentence.text)
            if match is None:
                continue
            word = _term(match["term"], language)
            if word and word.lower() not in entries and _is_of_the_domain(word, vocabulary, text_of):
                explanation = _shortened(capitalised(sentence.text), _EXPLANATION_CHARACTERS)
                entries[word.lower()] = GlossaryEntry(word, explanation, sentence.segment_from)
                break
        if len(entries) == _MOST_ENTRIES:
            break
    return tuple(entries.values())


def _term(found: str, language: Language) -> str:
    words = found.split()
    while words and words[0].lower() in language.stop_words | language.pronouns:
        words.pop(0)
    if not words or any(word.lower() in language.pronouns or word.lower() in language.stop_words for word in words):
        return ""
    return " ".join(words) if len(words[0]) > 1 else ""


def _is_of_the_domain(word: str, vocabulary: Vocabulary, spellings: Counter[str]) -> bool:
    """Whether the transcript speaks of it more than once, or it is an abbreviation."""
    last = word.rsplit(maxsplit=1)[-1]
    if last.isupper() and len(last) > 1:
        return True
    keys = [key for key, spelling in vocabulary.spelling.items() if spelling.lower() == last.lower()]
    return not keys or vocabulary.counts[keys[0]] > 1 or spellings[last.lower()] == 0


def prerequisites_of(sentences: Sequence[Sentence], expert: str | None, language: Language) -> list[int]:
    """Positions of the sentences that say what one needs before one begins."""
    return [
        at
        for at, sentence in enumerate(sentences)
        if (expert is None or sentence.speaker == expert)
        and not sentence.text.endswith("?")
        and language.prerequisites.search(sentence.text)
    ][:_MOST_PREREQUISITES]


def sections_of(
    boundaries: Sequence[int], vocabulary: Vocabulary, language: Language, people: frozenset[str]
) -> tuple[DraftSection, ...]:
    """Sections from one boundary to the other, each named after the words that set it apart."""
    total = len(vocabulary.stems)
    edges = [0, *boundaries, total]
    spans = list(pairwise(edges))
    counts = [Counter(word for row in vocabulary.stems[start:end] for word in row) for start, end in spans]
    spread = Counter(word for count in counts for word in count)
    sections = []
    for number, ((start, end), count) in enumerate(zip(spans, counts, strict=True), 1):
        weights = {
            word: times * log(1 + len(spans) / spread[word]) * (1.0 if times > 1 else 0.5)
            for word, times in count.items()
        }
        names = _names(weights, vocabulary, language, people)
        sections.append(DraftSection(_listed(names, language) or str(number), start, end - 1))
    return tuple(sections)


def salient_words(vocabulary: Vocabulary, language: Language, people: frozenset[str]) -> str:
    """The words that a transcript is about, in its spelling."""
    weights = {
        word: float(times)
        for word, times in vocabulary.counts.items()
        if times > 1 or len(vocabulary.counts) < _OPENING
    }
    return _listed(_names(weights, vocabulary, language, people), language)


def names_of(speakers: Iterable[str | None]) -> frozenset[str]:
    """The words of the speakers' names, which are no topics."""
    return frozenset(word for speaker in speakers if speaker for word in re.findall(r"\w+", speaker.lower()))


def _names(weights: dict[str, float], vocabulary: Vocabulary, language: Language, people: frozenset[str]) -> list[str]:
    """The heaviest words that can stand in a title: no verbs of instructions, in German nouns before others."""

    def rank(word: str) -> tuple[bool, float, str]:
        spelling = vocabulary.spelling[word]
        noun = not language.nouns_are_capitalised or spelling[:1].isupper()
        return (not noun, -weights[word], word)

    names: list[str] = []
    for word in sorted(weights, key=rank):
        spelling = vocabulary.spelling[word]
        if (
            spelling.lower() in people | language.pronouns
            or spelling.lower() in language.verbs
            or (not spelling[:1].isupper() and word in language.verbs)
        ):
            continue
        if not any(spelling.lower() in name.lower() or name.lower() in spelling.lower() for name in names):
            names.append(spelling)
        if len(names) == _WORDS_IN_TITLE:
            break
    return names


def _listed(names: Sequence[str], language: Language) -> str:
    if not names:
        return ""
    if len(names) == 1 or not language.conjunction:
        return capitalised(", ".join(names))
    return capitalised(f"{', '.join(names[:-1])} {language.conjunction} {names[-1]}")


def purpose_of(sentences: Sequence[Sentence], language: Language) -> tuple[Sentence, str] | None:
    """The sentence near the beginning that says what all this is about, and the part of it that makes a title."""
    for pattern in language.purposes:
        for sentence in sentences[:_OPENING]:
            match = pattern.search(sentence.text)
            if match and len(match["what"].split()) > 1:
                return sentence, match["what"]
    return None


def title_of(purpose: str, salient: str, fallback: str) -> str:
    """A title of at most 80 characters from the statement of purpose, else from the salient words."""
    title = purpose.strip()
    if match := _LEADING.match(title):
        title = match["rest"] or title
    title = _TRAILING.sub("", title)
    for end in _CLAUSE_END.finditer(title):
        if end.start() >= (30 if title.lower().startswith(("wie ", "how ")) else 5):
            title = title[: end.start()]
            break
    title = _shortened(title, _TITLE_CHARACTERS)
    return capitalised(title) or salient or fallback


def summary_of(purpose: Sentence | None, sections: Sequence[DraftSection], language: Language) -> str:
    """What was said to be the purpose, and the topics in order."""
    topics = "; ".join(section.title for section in sections[:_NAMES_IN_SUMMARY])
    listed = f"{language.topics}: {topics}." if language.topics and topics else topics
    opening = capitalised(purpose.text) if purpose else ""
    return " ".join(part for part in (_shortened(opening, _EXPLANATION_CHARACTERS), listed) if part)


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(" ", 1)[0].rstrip(",;:–—- ") + "…"
